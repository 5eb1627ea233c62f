"""Record the runs of doctor_cases.py: the data of tests/data/ppo_runs.

Arguments: the folder, then the groups. A file a group, written after each run and continued where it exists; one run
takes 3 to 30 s on one core. Of each run: the values of every update, and the mean training reward in 100 buckets.
"""

import json
import math
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from doctor_cases import GROUPS, Case

from rlsweep.config.agent import AgentConfig
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import TrainingConfig
from rlsweep.errors import DivergedError
from rlsweep.runs import Episode
from rlsweep.training.train import train
from tests.list_recorder import ListRecorder

METRICS = ("policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction", "explained_variance", "gradient_steps")
BUCKETS = 100


def config_of(case: Case) -> RunConfig:
    return RunConfig(
        agent=AgentConfig.model_validate_json(json.dumps(case.agent)),
        training=TrainingConfig.model_validate_json(json.dumps({"environment": case.environment, "engine": "fast"})),
        mode=Mode.SMOKE,
        budget=Budget(total_timesteps=case.steps),
        seed=case.seed,
    )


def recorded(case: Case) -> dict[str, Any]:
    recorder, config = ListRecorder(), config_of(case)
    diverged = False
    with tempfile.TemporaryDirectory() as folder:
        try:
            train(config, recorder, checkpoint_folder=Path(folder), tensorboard_folder=None)
        except DivergedError:
            diverged = True
    return {
        "config": config.to_record(),
        "diverged": diverged,
        "update_steps": [each.env_steps for each in recorder.updates],
        **{name: [short(getattr(each, name)) for each in recorder.updates] for name in METRICS},
        **reward_curve(recorder.episodes),
    }


def reward_curve(episodes: list[Episode]) -> dict[str, list[float | None]]:
    """Means in buckets of equal width in env steps; a bucket includes its end and excludes its start."""
    if not episodes:
        return {"reward_steps": [], "reward": []}
    steps = np.array([each.env_steps for each in episodes])
    rewards = np.array([each.reward for each in episodes])
    place = np.ceil(steps * BUCKETS / steps[-1]).astype(int)
    present = sorted(set(place.tolist()))
    return {
        "reward_steps": [int(steps[place == each][-1]) for each in present],
        "reward": [short(float(rewards[place == each].mean())) for each in present],
    }


def short(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.5g}")


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for group in sys.argv[2:] or GROUPS:
        file = folder / f"{group}.json"
        known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        for name, case in GROUPS[group].items():
            if name not in known:
                known[name] = recorded(case)
                file.write_text(json.dumps(known, separators=(",", ":")))
                print(f"{group} {name}", flush=True)


main()
