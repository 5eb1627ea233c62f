"""Train connect_four with one engine and several seeds. Arguments: engine, env steps, first seed, seeds.

Prints JSON: for each seed the win rate of its last 500 episodes.
"""

import json
import sys
import tempfile
from pathlib import Path

from rlsweep.config.agent import AgentConfig
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import EvaluationConfig, TrainingConfig
from rlsweep.runs import Outcome
from rlsweep.training.train import train
from tests.list_recorder import ListRecorder

LAST = 500


def win_rate(engine: str, steps: int, seed: int) -> float:
    recorder = ListRecorder()
    config = RunConfig(
        agent=AgentConfig(agent_id="bench", name="Bench", algorithm="MaskablePPO", version=1),
        training=TrainingConfig(engine=engine, evaluation=EvaluationConfig(enabled=False)),
        mode=Mode.FULL,
        budget=Budget(total_timesteps=steps),
        seed=seed,
    )
    with tempfile.TemporaryDirectory() as folder:
        train(config, recorder, checkpoint_folder=Path(folder), tensorboard_folder=None)
    outcomes = [episode.outcome for episode in recorder.episodes[-LAST:]]
    return outcomes.count(Outcome.WIN) / len(outcomes)


def main() -> None:
    engine, steps, first_seed, seeds = sys.argv[1], *map(int, sys.argv[2:5])
    print(json.dumps({seed: win_rate(engine, steps, seed) for seed in range(first_seed, first_seed + seeds)}))


main()
