"""Record scores of 16 configs of connect_four at the rung and the end: the data of tests/data/connect_four_race.json.

Arguments: the file, which is written after each run and continued where it exists; seeds of the first eight configs;
seeds of the others. One run takes about 15 s on one core.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from raced_configs import FIRST, OTHERS, STEPS, agent_of

from rlsweep.config.agent import AgentConfig
from rlsweep.config.run import Budget, Mode, RunConfig, ScoreEvaluation
from rlsweep.config.training import TrainingConfig
from rlsweep.runs import Evaluation, recent_means
from rlsweep.training.train import train
from tests.list_recorder import ListRecorder

EPISODES = 1_112
"""So that the standard error of a win rate is half of 0.03."""


def config_of(changes: dict[str, Any], seed: int) -> RunConfig:
    """The run of one config: the shipped base config, changed, on the shipped environment."""
    return RunConfig(
        agent=AgentConfig.model_validate_json(json.dumps(agent_of(changes))),
        training=TrainingConfig.model_validate({"environment": {"id": "open_spiel/connect_four"}}),
        mode=Mode.SMOKE,
        budget=Budget(total_timesteps=STEPS),
        seed=seed,
        score_evaluation=ScoreEvaluation(at=(0.5, 1.0), episodes=EPISODES),
    )


def shown(evaluation: Evaluation) -> list[float]:
    return [evaluation.win_rate or 0.0, evaluation.mean_reward, round(evaluation.mean_length, 3)]


def start() -> float:
    """The win rate before the first update: mean over eight seeds."""
    rates = []
    for seed in range(8):
        recorder = ListRecorder()
        config = config_of({}, seed).model_copy(
            update={"budget": Budget(total_timesteps=2048), "score_evaluation": None}
        )
        with tempfile.TemporaryDirectory() as folder:
            train(config, recorder, checkpoint_folder=Path(folder), tensorboard_folder=None)
        means = recent_means(recorder.episodes)
        rates.append(means.win_rate or 0.0)
    return sum(rates) / len(rates)


def main() -> None:
    file, first, others = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    record = {
        "steps": STEPS,
        "episodes": EPISODES,
        "start": known.get("start") or start(),
        "runs": known.get("runs", {}),
    }
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
