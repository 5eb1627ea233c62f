"""Record scores of 16 configs of connect_four at the rung and the end: the data of tests/data/connect_four_race.json.

Arguments: the file, which is written after each run and continued where it exists; seeds of the first eight configs;
seeds of the others. One run takes about 15 s on one core.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from rlsweep.config.agent import AgentConfig
from rlsweep.config.run import Budget, Mode, RunConfig, ScoreEvaluation
from rlsweep.config.training import TrainingConfig
from rlsweep.runs import Evaluation
from rlsweep.training.train import train
from tests.list_recorder import ListRecorder

STEPS = 20_480
EPISODES = 1_112
"""So that the standard error of a win rate is half of 0.03."""

FIRST: dict[str, dict[str, Any]] = {
    "lr_3e-5": {"learning_rate": 3e-5},
    "base": {},
    "lr_1e-3": {"learning_rate": 1e-3},
    "lr_3e-3": {"learning_rate": 3e-3},
    "lr_1e-2": {"learning_rate": 1e-2},
    "gamma_0.9": {"gamma": 0.9},
    "ent_0.1": {"ppo": {"ent_coef": 0.1}},
    "small_net": {"network": {"net_arch": [16]}},
}
OTHERS: dict[str, dict[str, Any]] = {
    "lr_1e-4": {"learning_rate": 1e-4},
    "lr_5e-3": {"learning_rate": 5e-3},
    "gamma_0.999": {"gamma": 0.999},
    "epochs_3": {"n_epochs": 3},
    "epochs_20": {"n_epochs": 20},
    "clip_0.3": {"ppo": {"clip_range": 0.3}},
    "net_64": {"network": {"net_arch": [64, 64]}},
    "batch_256": {"batch_size": 256},
}


def config_of(changes: dict[str, Any], seed: int) -> RunConfig:
    """The run of one config: the shipped base config, changed, on the shipped environment."""
    agent: dict[str, Any] = {
        "agent_id": "raced",
        "name": "raced",
        "algorithm": "MaskablePPO",
        "version": 1,
        "learning_rate": 3e-4,
        "n_steps": 2048,
        "network": {"net_arch": [256, 256]},
        "ppo": {"ent_coef": 0.01},
    }
    merged = agent | {
        key: {**agent[key], **value} if key in ("ppo", "network") else value for key, value in changes.items()
    }
    return RunConfig(
        agent=AgentConfig.model_validate_json(json.dumps(merged)),
        training=TrainingConfig.model_validate({"environment": {"id": "open_spiel/connect_four"}}),
        mode=Mode.SMOKE,
        budget=Budget(total_timesteps=STEPS),
        seed=seed,
        score_evaluation=ScoreEvaluation(at=(0.5, 1.0), episodes=EPISODES),
    )


def shown(evaluation: Evaluation) -> list[float]:
    return [evaluation.win_rate or 0.0, evaluation.mean_reward, round(evaluation.mean_length, 3)]


def main() -> None:
    file, first, others = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    record = {"steps": STEPS, "episodes": EPISODES, "runs": known.get("runs", {})}
    for seed in range(max(first, others)):
        for name, changes in [*FIRST.items(), *OTHERS.items()]:
            if seed >= (first if name in FIRST else others) or len(record["runs"].get(name, [])) > seed:
                continue
            recorder = ListRecorder()
            with tempfile.TemporaryDirectory() as folder:
                train(config_of(changes, seed), recorder, checkpoint_folder=Path(folder), tensorboard_folder=None)
            rung, full = recorder.evaluations
            record["runs"].setdefault(name, []).append([shown(rung), shown(full)])
            file.write_text(json.dumps(record))


main()
