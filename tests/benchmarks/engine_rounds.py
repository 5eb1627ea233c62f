"""Stock and fast PPO or MaskablePPO in alternation, on one core. Arguments: case, env steps, rounds, engines.

Engines are separated by commas; `engine@device` computes on that device, where else the CPU does. Prints JSON: for each
engine the seconds of every round's collecting and updating, and the process's peak memory in MB. A round is `steps` env
steps, the update after them, and the recording of episodes; one round of each engine goes before and is not counted.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import torch  # noqa: E402 - its thread pools look at the affinity when they start
from stable_baselines3.common.callbacks import BaseCallback  # noqa: E402
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm  # noqa: E402

from rlsweep.config.agent import AgentConfig  # noqa: E402
from rlsweep.config.run import Budget, Mode, RunConfig  # noqa: E402
from rlsweep.config.training import EnvironmentSpec, TrainingConfig  # noqa: E402
from rlsweep.training.algorithms import build_model, load_algorithm  # noqa: E402
from rlsweep.training.callbacks import EpisodeCallback  # noqa: E402
from rlsweep.training.progress import Progress  # noqa: E402
from rlsweep.training.vector import make_vector  # noqa: E402
from tests.list_recorder import ListRecorder  # noqa: E402

UNBOUNDED = 10**12
"""Env steps that no round reaches."""

CASES = {
    "connect_four": {"environment": EnvironmentSpec(), "n_envs": 1},
    "connect_four_8": {"environment": EnvironmentSpec(), "n_envs": 8},
    "breakthrough": {"environment": EnvironmentSpec(id="open_spiel/breakthrough"), "n_envs": 1},
    "blokus": {
        "environment": EnvironmentSpec(
            id="blokus_rl:BlokusEnv", opponent="random", observation_keys=("observation", "pieces")
        ),
        "n_envs": 1,
    },
    "masked_parts": {"environment": EnvironmentSpec(id="masked_parts:MaskedParts"), "n_envs": 1},
    "cartpole": {"environment": EnvironmentSpec(id="CartPole-v1"), "n_envs": 1},
    "cartpole_8": {"environment": EnvironmentSpec(id="CartPole-v1"), "n_envs": 8},
    "pendulum": {"environment": EnvironmentSpec(id="Pendulum-v1"), "n_envs": 1},
    "pendulum_8": {"environment": EnvironmentSpec(id="Pendulum-v1"), "n_envs": 8},
}

WITHOUT_MASKS = ("cartpole", "cartpole_8", "pendulum", "pendulum_8")
"""Cases that PPO trains, and MaskablePPO all others."""


class Rounds:
    """One engine's model on its device, which collects and learns a rollout at a time, as a run does."""

    def __init__(self, config: RunConfig, engine: str) -> None:
        algorithm = load_algorithm(config.agent.algorithm, engine)
        self._model = build_model(algorithm, config, make_vector(config))
        recording = EpisodeCallback(config, ListRecorder(), Progress(), normalizer=None)
        _, self._callback = self._model._setup_learn(UNBOUNDED, recording)
        self.collect: list[float] = []
        self.update: list[float] = []

    def go(self) -> None:
        model = self._model
        self.collect.append(seconds(lambda: collect(model, self._callback)))
        model._update_current_progress_remaining(model.num_timesteps, UNBOUNDED)
        self.update.append(seconds(model.train))


def collect(model: OnPolicyAlgorithm, callback: BaseCallback) -> None:
    assert model.collect_rollouts(model.env, callback, model.rollout_buffer, model.n_steps)


def seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def peak_mb() -> float:
    """Of this process since it began; `ru_maxrss` would count its parent's too."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    case, steps, rounds, engines = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4].split(",")
    torch.set_num_threads(1)
    training = TrainingConfig(**CASES[case])
    algorithm = "PPO" if case in WITHOUT_MASKS else "MaskablePPO"
    agent = AgentConfig(
        agent_id="bench", name="Bench", algorithm=algorithm, version=1, n_steps=steps // training.n_envs
    )
    config = RunConfig(agent=agent, training=training, mode=Mode.FULL, budget=Budget(total_timesteps=UNBOUNDED), seed=0)
    models = {}
    for name in engines:
        engine, _, device = name.partition("@")
        on_device = training.model_copy(update={"device": device or "cpu"})
        models[name] = Rounds(config.model_copy(update={"training": on_device}), engine)
    for _ in range(rounds + 1):
        for model in models.values():
            model.go()
    figures = {engine: {"collect": model.collect[1:], "update": model.update[1:]} for engine, model in models.items()}
    print(json.dumps(figures | {"peak_mb": peak_mb()}))


main()
