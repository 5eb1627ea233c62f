"""Train an agent config on connect_four with several seeds. Arguments: file, env steps, episodes, first seed, seeds.

Prints JSON: for each seed the win rate of the deterministic last policy over so many episodes, as races score runs.
"""

import json
import sys
import tempfile
from pathlib import Path

from rlsweep.config.loading import load_agent
from rlsweep.config.run import Budget, Mode, RunConfig, ScoreEvaluation
from rlsweep.config.training import TrainingConfig
from rlsweep.training.train import train
from tests.list_recorder import ListRecorder


def win_rate(file: Path, steps: int, episodes: int, seed: int) -> float:
    recorder = ListRecorder()
    config = RunConfig(
        agent=load_agent(file, {}, ()).config,
        training=TrainingConfig.model_validate({"environment": {"id": "open_spiel/connect_four"}}),
        mode=Mode.SMOKE,
        budget=Budget(total_timesteps=steps),
        seed=seed,
        score_evaluation=ScoreEvaluation(at=(1.0,), episodes=episodes),
    )
    with tempfile.TemporaryDirectory() as folder:
        train(config, recorder, checkpoint_folder=Path(folder), tensorboard_folder=None)
    found = recorder.evaluations[-1].win_rate
    assert found is not None
    return found


def main() -> None:
    file, (steps, episodes, first_seed, seeds) = Path(sys.argv[1]), map(int, sys.argv[2:6])
    print(json.dumps({seed: win_rate(file, steps, episodes, seed) for seed in range(first_seed, first_seed + seeds)}))


main()
