"""The child process of `measuring`: `python -m rlsweep.planning.probe`.

Reads a JSON list of RunConfig records on stdin. Writes one JSON object per line on stdout: `{"waiting": …}` while an
environment does not answer, `{"env_steps": …, "seconds": …}` about once a second while it is played, and at the end
`{"measurements": …}`, a list of Measurement records, or `{"kind": …, "error": …}` for an RlsweepError. Nothing else is
written to stdout, even if the environments print.
"""

import json
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import gymnasium as gym
import numpy as np
import psutil
import torch
from sb3_contrib.common.maskable.buffers import MaskableRolloutBuffer
from sb3_contrib.common.maskable.utils import get_action_masks
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.vec_env import SubprocVecEnv, VecEnv

from rlsweep.config.agent import SplitLayers
from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.run import RunConfig
from rlsweep.envs.random_actions import RandomActions
from rlsweep.errors import RlsweepError
from rlsweep.imports import lasting_imports, leave_to_the_kernel
from rlsweep.planning.estimate import GpuMemory, Measurement
from rlsweep.planning.measurement_key import environment_key, network_key, rollout_length
from rlsweep.planning.memory import gpu_memory, memory_of_children, peak_memory
from rlsweep.planning.played_steps import PlayedSteps
from rlsweep.planning.probe_evaluation import EvaluationProbe
from rlsweep.training.algorithms import build_model, load_algorithm
from rlsweep.training.environment_check import check_environment
from rlsweep.training.observer import observe, with_observer
from rlsweep.training.opponent_pool import play_against_itself
from rlsweep.training.snapshot import PolicyBackup
from rlsweep.training.vector import make_vector
from rlsweep.training.waiting import report_waiting

PLAY_SECONDS = 0.5
ENOUGH_SECONDS = 0.15
ENOUGH_EPISODES = 100
"""So many ended episodes say how long they are, within a tenth of their spread, and as many resets what they cost."""
LEARN_SECONDS = 0.3
MOST_ROLLOUTS = 10
GRADIENT_STEPS = 8
"""On one minibatch, so that what is done once an update hardly counts."""
FLOAT_BYTES = 4
CHECKPOINT_BYTES = 64 * 1024
"""Size of a checkpoint without weights and moments: archive, settings, random generators and environments."""


@dataclass(frozen=True, slots=True)
class Play:
    """Result of random legal play: seconds per env step, and the lengths in env steps of the ended episodes."""

    seconds_per_step: float
    lengths: tuple[int, ...]
    has_outcomes: bool


@dataclass(frozen=True, slots=True)
class Making:
    """Seconds to import everything, and to make all parallel environments."""

    imports: float
    environments: float


@dataclass(frozen=True, slots=True)
class Learning:
    """Result of learning with one network: seconds per env step of a rollout and per gradient step, and memory.

    memory_bytes: the process's peak memory, with a negligible rollout buffer
    weights: number of weights
    opponents_bytes: size of the full pool of a run that plays against itself
    build_seconds: seconds to build the model
    evaluation_seconds_per_step: as Measurement has it
    keeps_masks: whether the rollout buffer stores a float32 per action and step
    gpu: its GPU memory, with a negligible rollout; None on the CPU
    """

    rollout_seconds_per_step: float
    minibatch_seconds: float
    memory_bytes: int
    weights: int
    opponents_bytes: int
    build_seconds: float
    evaluation_seconds_per_step: float
    keeps_masks: bool
    gpu: GpuMemory | None


def measure_all(configs: Sequence[RunConfig], tell: Callable[[int, float], None] | None = None) -> list[Measurement]:
    """Measure each distinct environment once, and in it each distinct network once, smaller networks first.

    tell: called about once a second with the env steps of an environment, and the seconds that they took

    The order matters, because the process's peak memory never decreases: it is that of the largest network so far.
    """
    measurements: dict[int, Measurement] = {}
    by_environment = _grouped(range(len(configs)), lambda index: environment_key(configs[index]))
    imported = max(0.0, time.time() - psutil.Process().create_time())
    for same_environment in by_environment:
        first = configs[same_environment[0]]
        # first: what is wrong with the environment is said in one sentence, and not as an error of what follows
        algorithms = {configs[index].agent.algorithm: configs[index] for index in same_environment}
        facts = {algorithm: check_environment(config).facts for algorithm, config in algorithms.items()}
        with ExitStack() as stack:
            began = time.perf_counter()
            env = make_vector(first)
            stack.callback(env.close)
            making = Making(imported, time.perf_counter() - began)
            evaluation = EvaluationProbe(first) if first.has_evaluation_environment else None
            if evaluation is not None:
                stack.callback(evaluation.close)
            played = PlayedSteps(tell)
            play = _play(env, first.seed, played)
            by_network = _grouped(same_environment, lambda index: network_key(configs[index]))
            for same_network in sorted(by_network, key=lambda indices: _weight(configs[indices[0]])):
                learning = _learn(env, configs[same_network[0]], evaluation, played)
                for index in same_network:
                    measured = _measurement(configs[index], env, making, play, learning)
                    measurements[index] = replace(measured, facts=facts[configs[index].agent.algorithm])
    return [measurements[index] for index in range(len(configs))]


def _grouped(indices: Sequence[int], key: Callable[[int], str]) -> list[list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for index in indices:
        groups[key(index)].append(index)
    return list(groups.values())


def _weight(config: RunConfig) -> int:
    layers = config.agent.network.net_arch
    width = sum(layers.pi) + sum(layers.vf) if isinstance(layers, SplitLayers) else 2 * sum(layers)
    return width * rollout_length(config)


def _play(env: VecEnv, seed: int, played: PlayedSteps) -> Play:
    """Play random legal actions for about PLAY_SECONDS, or for ENOUGH_SECONDS if ENOUGH_EPISODES have ended then.

    The time to choose the actions is not counted.
    """
    actions = RandomActions(env.action_space, seed)
    masked = env.has_attr("action_masks")
    in_episode = np.zeros(env.num_envs, dtype=np.int64)
    lengths: list[int] = []
    counted, steps, has_outcomes = 0.0, 0, False
    env.reset()
    began = time.perf_counter()
    while (started := time.perf_counter()) - began < (
        ENOUGH_SECONDS if len(lengths) >= ENOUGH_EPISODES else PLAY_SECONDS
    ):
        masks = get_action_masks(env) if masked else [None] * env.num_envs
        counted += time.perf_counter() - started
        chosen = np.stack([actions.draw(mask) for mask in masks])
        started = time.perf_counter()
        _, _, dones, infos = env.step(chosen)
        counted += time.perf_counter() - started
        steps += env.num_envs
        played.add(env.num_envs)
        in_episode += 1
        lengths.extend(in_episode[dones].tolist())
        in_episode[dones] = 0
        has_outcomes |= any(infos[index].get("outcome") is not None for index in np.flatnonzero(dones))
    return Play(counted / steps, tuple(lengths), has_outcomes)


class _Stopwatch(BaseCallback):
    """Callback and observer that times rollouts and updates; schedules stay at their initial values."""

    def __init__(self, played: PlayedSteps) -> None:
        super().__init__()
        self._played = played
        self.rollouts: list[float] = []
        self.updates: list[float] = []
        self._started = 0.0

    def begin_rollout(self) -> None:
        self._started = time.perf_counter()

    def progress_remaining(self) -> float:
        return 1.0

    def update(self, train: Callable[[], None]) -> None:
        started = time.perf_counter()
        assert isinstance(self.model, OnPolicyAlgorithm)
        kept = PolicyBackup(self.model)  # a run has one too, and its memory counts
        train()
        del kept
        self.updates.append(time.perf_counter() - started)
        self._played.leave_out(self.updates[-1])

    def step(self) -> None:
        pass

    def _on_rollout_end(self) -> None:
        self.rollouts.append(time.perf_counter() - self._started)

    def _on_step(self) -> bool:
        self._played.add(self.training_env.num_envs)
        # the first rollout and update are not counted: they warm up and may compile
        enough = sum(self.rollouts[1:]) + sum(self.updates[1:]) > LEARN_SECONDS
        return not (enough and len(self.updates) == len(self.rollouts))


def _learn(env: VecEnv, config: RunConfig, evaluation: EvaluationProbe | None, played: PlayedSteps) -> Learning:
    """Collect and learn from rollouts of one minibatch for about LEARN_SECONDS; then play as an evaluation does."""
    length = rollout_length(config)
    ppo = config.agent.ppo.model_copy(update={"target_kl": None})
    agent = config.agent.model_copy(update={"n_steps": length, "n_epochs": GRADIENT_STEPS, "ppo": ppo})
    training = config.training
    if training.device.startswith("cuda"):
        # the cluster may have GPUs even if this machine has none
        training = training.model_copy(update={"device": "auto"})
    short = config.model_copy(update={"agent": agent, "training": training})
    stopwatch, began = _Stopwatch(played), time.perf_counter()
    model = build_model(with_observer(load_algorithm(config.agent.algorithm, config.training.engine)), short, env)
    build_seconds = time.perf_counter() - began
    observe(model, stopwatch)
    opponents_bytes = play_against_itself(model, config.training.environment.self_play)
    model.set_logger(Logger(folder=None, output_formats=[]))
    model.learn(MOST_ROLLOUTS * length * env.num_envs, callback=stopwatch, log_interval=None)  # type: ignore[arg-type]
    gradient_steps = GRADIENT_STEPS if "n_epochs" in ALGORITHMS[agent.algorithm].hyperparameters else 1
    return Learning(
        _typical(stopwatch.rollouts) / (length * env.num_envs),
        _typical(stopwatch.updates) / gradient_steps,
        peak_memory() + memory_of_children(env),
        weights=sum(parameter.numel() for parameter in model.policy.parameters()),
        opponents_bytes=opponents_bytes,
        build_seconds=build_seconds,
        evaluation_seconds_per_step=0.0 if evaluation is None else evaluation.seconds_per_step(model, config),
        keeps_masks=isinstance(model.rollout_buffer, MaskableRolloutBuffer),
        gpu=gpu_memory(model.device) if model.device.type == "cuda" else None,
    )


def _typical(seconds: Sequence[float]) -> float:
    """The median without the first value, which includes the warm-up; the first if there is no other."""
    return statistics.median(seconds[1:] or seconds)


def _measurement(config: RunConfig, env: VecEnv, making: Making, play: Play, learning: Learning) -> Measurement:
    is_here = not isinstance(env.unwrapped, SubprocVecEnv)  # processes start side by side, with imports of their own
    observation_size = int(np.prod(env.observation_space.shape or (1,)))
    n_actions = _n_actions(env.action_space)
    return Measurement(
        episodes=len(play.lengths),
        mean_episode_length=statistics.fmean(play.lengths) if play.lengths else None,
        env_seconds_per_step=play.seconds_per_step,
        policy_seconds_per_step=max(0.0, learning.rollout_seconds_per_step - play.seconds_per_step),
        minibatch_seconds=learning.minibatch_seconds,
        peak_memory_bytes=learning.memory_bytes
        + learning.opponents_bytes
        + _buffer_bytes(config, observation_size, n_actions if learning.keeps_masks else 0),
        checkpoint_bytes=CHECKPOINT_BYTES + 3 * FLOAT_BYTES * learning.weights + learning.opponents_bytes,
        n_actions=n_actions,
        observation_size=observation_size,
        evaluation_seconds_per_step=learning.evaluation_seconds_per_step,
        episode_limit=_registered_limit(config.training.environment.id),
        import_seconds=making.imports,
        start_seconds=making.environments + learning.build_seconds,
        make_seconds=making.environments / env.num_envs if is_here else 0.0,
        fixed_episode_length=len(play.lengths) > 1 and len(set(play.lengths)) == 1,
        has_outcomes=play.has_outcomes if play.lengths else None,
        gpu=None if learning.gpu is None else _with_rollout(learning.gpu, config, observation_size),
    )


def _registered_limit(environment_id: str) -> int | None:
    """The env steps after which a Gymnasium environment's registration truncates episodes; None if there is none."""
    spec = gym.registry.get(environment_id.rpartition(":")[2])
    return None if spec is None else spec.max_episode_steps


def _with_rollout(gpu: GpuMemory, config: RunConfig, observation_size: int) -> GpuMemory:
    """Add a rollout's observations, and four numbers per step, to the GPU memory of learning from one minibatch."""
    rollout_bytes = config.rollout_steps * (observation_size + 4) * FLOAT_BYTES
    return replace(gpu, per_trial_bytes=gpu.per_trial_bytes + rollout_bytes)


def _n_actions(space: gym.Space[Any]) -> int:
    """The number of Discrete actions; for other spaces, the number of values of an action."""
    return int(space.n) if isinstance(space, gym.spaces.Discrete) else int(np.prod(space.shape or (1,)))


def _buffer_bytes(config: RunConfig, observation_size: int, masks: int) -> int:
    """Size of the rollout buffer: float32 observations, action masks if stored, and seven numbers per step.

    With parallel environments, its largest array is copied when it is flattened for learning.
    """
    per_step = observation_size + masks + 7
    copied = max(observation_size, masks) if config.training.n_envs > 1 else 0
    return config.agent.n_steps * config.training.n_envs * (per_step + copied) * FLOAT_BYTES


def answer(configs: Sequence[RunConfig], write: Callable[[dict[str, Any]], None]) -> None:
    """Measure; call `write` with what is waited for, and at the end with the measurements or the error."""
    try:
        with report_waiting(configs[0].training.environment.id, lambda text: write({"waiting": text})):
            measured = measure_all(configs, lambda steps, seconds: write({"env_steps": steps, "seconds": seconds}))
    except RlsweepError as exc:
        write({"kind": type(exc).__name__, "error": str(exc)})
    else:
        write({"measurements": [measurement.as_dict() for measurement in measured]})


def main() -> None:
    """Write to the real stdout; everything else that is printed, by C libraries too, goes to stderr."""
    with os.fdopen(os.dup(1), "w") as answer_to:
        os.dup2(2, 1)
        torch.set_num_threads(1)
        with lasting_imports():
            configs = [RunConfig.from_record(record) for record in json.load(sys.stdin)]

        def write(said: dict[str, Any]) -> None:
            answer_to.write(json.dumps(said) + "\n")
            answer_to.flush()

        answer(configs, write)
    leave_to_the_kernel()


if __name__ == "__main__":
    main()
