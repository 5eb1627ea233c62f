"""Train with one engine and several seeds. Arguments: case, engine, env steps, first seed, seeds.

Prints JSON: for each seed the win rate, or the mean reward, of its last episodes.
"""

import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from rlsweep.config.agent import AgentConfig, NetworkConfig
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import EnvironmentSpec, EvaluationConfig, TrainingConfig
from rlsweep.runs import Outcome
from rlsweep.training.train import train
from tests.list_recorder import ListRecorder

# Of CartPole and Pendulum the hyperparameters are rl-zoo's, without gSDE. Pendulum has its network too: with two layers
# of 256, some runs of either engine fall back to where they began.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], int]] = {
    "connect_four": ({"algorithm": "MaskablePPO"}, {}, 500),
    "cartpole": (
        {
            "algorithm": "PPO", "n_steps": 32, "batch_size": 256, "n_epochs": 20, "gamma": 0.98,
            "learning_rate": "linear_0.001", "ppo": {"gae_lambda": 0.8, "ent_coef": 0.0, "clip_range": "linear_0.2"},
        },
        {"environment": EnvironmentSpec(id="CartPole-v1"), "n_envs": 8},
        20,
    ),
    "pendulum": (
        {
            "algorithm": "PPO", "n_steps": 1024, "gamma": 0.9, "learning_rate": 1e-3, "ppo": {"ent_coef": 0.0},
            "network": NetworkConfig(net_arch=(64, 64)),
        },
        {"environment": EnvironmentSpec(id="Pendulum-v1"), "n_envs": 4},
        50,
    ),
}  # fmt: skip
"""Agent config, training config, and how many last episodes count."""


def final_score(case: str, engine: str, steps: int, seed: int) -> float:
    agent, training, last = CASES[case]
    recorder = ListRecorder()
    config = RunConfig(
        agent=AgentConfig(agent_id="bench", name="Bench", version=1, **agent),
        training=TrainingConfig(engine=engine, evaluation=EvaluationConfig(enabled=False), **training),
        mode=Mode.FULL,
        budget=Budget(total_timesteps=steps),
        seed=seed,
    )
    with tempfile.TemporaryDirectory() as folder:
        train(config, recorder, checkpoint_folder=Path(folder), tensorboard_folder=None)
    episodes = recorder.episodes[-last:]
    if case == "connect_four":
        return [episode.outcome for episode in episodes].count(Outcome.WIN) / len(episodes)
    return statistics.mean(episode.reward for episode in episodes)


def main() -> None:
    case, engine, steps, first_seed, seeds = *sys.argv[1:3], *map(int, sys.argv[3:6])
    print(json.dumps({seed: final_score(case, engine, steps, seed) for seed in range(first_seed, first_seed + seeds)}))


main()
