"""Train a run whose rollouts and updates other processes compute.

After each update, the SB3 model in this process gets the new weights. So evaluations, checkpoints, schedules and
records work as for a run in one process.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnv
from typing_extensions import override

from rlsweep.config.in_force import in_force
from rlsweep.config.run import RunConfig
from rlsweep.errors import DivergedError
from rlsweep.training.algorithms import build_model, load_algorithm
from rlsweep.training.callbacks import EndedEpisode, EpisodeCallback
from rlsweep.training.observer import with_observer
from rlsweep.training.weights import without_rollouts


@dataclass(frozen=True, kw_only=True, slots=True)
class EpisodePart:
    """The part of an episode that lies in one rollout.

    episode: id of the episode, the same for all its parts
    reward: undiscounted sum of the environment's rewards
    length: env steps, at least one
    ended: whether the episode ends with this part
    outcome: the environment's outcome; None if it has none or the episode goes on
    """

    episode: str
    reward: float
    length: int
    ended: bool
    outcome: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduledValues:
    """Hyperparameters of one update, which may change from one to the next. clip_range_vf: None for no clipping."""

    learning_rate: float
    clip_range: float
    clip_range_vf: float | None
    ent_coef: float
    vf_coef: float
    max_grad_norm: float
    n_epochs: int
    batch_size: int

    @classmethod
    def of(cls, model: Any) -> "ScheduledValues":
        """The values of a PPO model of SB3's for its next update."""
        remaining = model._current_progress_remaining
        return cls(
            learning_rate=model.lr_schedule(remaining),
            clip_range=model.clip_range(remaining),
            clip_range_vf=None if model.clip_range_vf is None else model.clip_range_vf(remaining),
            ent_coef=model.ent_coef,
            vf_coef=model.vf_coef,
            max_grad_norm=model.max_grad_norm,
            n_epochs=model.n_epochs,
            batch_size=model.batch_size,
        )


class RemoteWorkers(Protocol):
    """The processes that collect rollouts and compute updates."""

    @property
    def facts(self) -> Mapping[str, str]:
        """Facts for the run's record, including `engine`."""
        ...

    def start(self, policy: ActorCriticPolicy, *, env_steps: int) -> None:
        """Start the processes with the policy's weights and optimizer state, at `env_steps` of the run."""
        ...

    def collect_rollout(self, must_stop: Callable[[], bool]) -> Sequence[EpisodePart]:
        """Collect one rollout and return its parts in order of arrival; fewer parts if `must_stop` returns True.

        must_stop: called about every second
        """
        ...

    def update(self, scheduled: ScheduledValues) -> Mapping[str, float]:
        """Compute one update on the last rollout; return its diagnostics, under the names of SB3's logger."""
        ...

    def copy_weights_to(self, policy: ActorCriticPolicy) -> None:
        """Copy the current weights and optimizer state into the policy."""
        ...

    def close(self) -> None:
        """End all processes; do nothing if they were not started."""
        ...


class EpisodePartCallback(EpisodeCallback):
    """Counts env steps and records episodes from episode parts, numbered in the order in which their ends arrive."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._so_far: dict[str, tuple[float, int]] = {}

    def is_asked_to_stop(self) -> bool:
        """Whether the recorder requested a stop; the answer is kept in `stopped`."""
        self.stopped = self._recorder.stop_requested
        return self.stopped

    @override
    def _on_step(self) -> bool:
        part: EpisodePart = self.locals["part"]
        if self.is_asked_to_stop():
            return False
        if self._step_cap is not None and self.num_timesteps > self._step_cap:
            self._progress.env_steps = self._step_cap
            return False
        self._progress.env_steps = self.num_timesteps
        if not math.isfinite(part.reward):
            raise DivergedError(
                f"The environment gave a reward that is NaN or infinite before env step {self.num_timesteps}, in "
                f"episode {self._progress.episodes + 1}, before update {self._progress.updates + 1}."
            )
        reward, length = self._so_far.pop(part.episode, (0.0, 0))
        reward, length = reward + part.reward, length + part.length
        if part.ended:
            self._record([EndedEpisode(reward=reward, length=length, outcome=part.outcome)])
            if self._episode_budget is not None and self._progress.episodes >= self._episode_budget:
                return False
        else:
            self._so_far[part.episode] = reward, length
        is_cut_off = self._step_cap is not None and self.num_timesteps >= self._step_cap
        return self.locals["is_last"] or not is_cut_off


def build_remote_model(config: RunConfig, env: VecEnv, workers: RemoteWorkers) -> OnPolicyAlgorithm:
    """Build a model, with an observer, that leaves rollouts and updates to `workers`.

    env: only its spaces are used. A saved model has the config's rollout settings. Raises what `build_model` raises.
    """
    model = build_model(
        with_observer(_with_remote_workers(load_algorithm(config.agent.algorithm))), without_rollouts(config), env
    )
    model.n_steps, model.n_envs = config.agent.n_steps, config.training.n_envs
    vars(model).update(batch_size=in_force(config.agent, 0).batch_size, workers=workers)
    return model


@cache
def _with_remote_workers(algorithm: type[OnPolicyAlgorithm]) -> type[OnPolicyAlgorithm]:
    """Subclass `algorithm` to leave rollouts and updates to `workers`; stock `algorithm.load` opens its checkpoints."""

    class WithRemoteWorkers(algorithm):  # type: ignore[misc, valid-type]
        workers: RemoteWorkers

        def _setup_learn(self, *arguments: Any, **keywords: Any) -> tuple[int, BaseCallback]:
            prepared: tuple[int, BaseCallback] = super()._setup_learn(*arguments, **keywords)
            self.workers.start(self.policy, env_steps=self.num_timesteps)
            return prepared

        def collect_rollouts(self, _: VecEnv, callback: EpisodePartCallback, *__: Any, **___: Any) -> bool:
            callback.on_rollout_start()
            parts = [] if callback.is_asked_to_stop() else self.workers.collect_rollout(callback.is_asked_to_stop)
            if callback.is_asked_to_stop():
                return False
            for index, part in enumerate(parts):
                self.num_timesteps += part.length
                callback.update_locals({"part": part, "is_last": index == len(parts) - 1})
                if not callback.on_step():
                    return False
            callback.on_rollout_end()
            return True

        def train(self) -> None:
            self._update_learning_rate(self.policy.optimizer)
            scheduled = ScheduledValues.of(self)
            for name, value in self.workers.update(scheduled).items():
                self.logger.record(name, value)
            self.logger.record("train/clip_range", scheduled.clip_range)
            self.workers.copy_weights_to(self.policy)
            self._n_updates += self.n_epochs

        def _excluded_save_params(self) -> list[str]:
            return [*super()._excluded_save_params(), "workers"]

    return WithRemoteWorkers
