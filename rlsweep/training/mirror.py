"""A run whose rollouts and updates other processes compute: the SB3 model in this one mirrors what they learn.

So everything else stays as it is: evaluation, checkpoints, schedules and the record work on the mirror.
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

from rlsweep.config.run import RunConfig
from rlsweep.errors import DivergedError
from rlsweep.training.algorithms import build_model, load_algorithm
from rlsweep.training.callbacks import Ended, EpisodeCallback
from rlsweep.training.observed import observed
from rlsweep.training.weights import without_rollouts


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """What one environment played of one episode within a rollout.

    episode: the same for all pieces of an episode
    reward: undiscounted sum of its rewards, as the environment gave them
    length: env steps, at least one
    ended: whether the episode ends with it; outcome: the environment's word for how, where it has one
    """

    episode: str
    reward: float
    length: int
    ended: bool
    outcome: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """What may follow a schedule, as it is for one update. clip_range_vf: None for no clipping of the value."""

    learning_rate: float
    clip_range: float
    clip_range_vf: float | None


class Workers(Protocol):
    """The processes that play and learn."""

    @property
    def facts(self) -> Mapping[str, str]:
        """What is to be known of them, for the record; `engine` among it."""
        ...

    def begin(self, policy: ActorCriticPolicy, *, env_steps: int) -> None:
        """Start, with the policy's weights and the state of its optimizer, at `env_steps` of the run."""
        ...

    def play(self, is_to_stop: Callable[[], bool]) -> Sequence[Piece]:
        """One rollout, in the order in which it arrives; any part of it once `is_to_stop`, asked every second or so."""
        ...

    def learn(self, rates: Rates) -> Mapping[str, float]:
        """One update over the rollout; its diagnostics, under the names of SB3's logger."""
        ...

    def copy_into(self, policy: ActorCriticPolicy) -> None:
        """Give the policy the weights and the optimizer's state as they are now."""
        ...

    def close(self) -> None:
        """End every process, whether they were started or not."""
        ...


class PieceCallback(EpisodeCallback):
    """Counts a mirror's env steps and records its episodes, numbered as their last pieces arrive."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._so_far: dict[str, tuple[float, int]] = {}

    def is_asked_to_stop(self) -> bool:
        """Whether the run is to end here."""
        self.stopped = self._recorder.stop_requested
        return self.stopped

    @override
    def _on_step(self) -> bool:
        piece: Piece = self.locals["piece"]
        if self.is_asked_to_stop():
            return False
        if self._step_cap is not None and self.num_timesteps > self._step_cap:
            self._progress.env_steps = self._step_cap
            return False
        self._progress.env_steps = self.num_timesteps
        if not math.isfinite(piece.reward):
            raise DivergedError(
                f"The environment gave a reward that is NaN or infinite before env step {self.num_timesteps}, in "
                f"episode {self._progress.episodes + 1}, before update {self._progress.updates + 1}."
            )
        reward, length = self._so_far.pop(piece.episode, (0.0, 0))
        reward, length = reward + piece.reward, length + piece.length
        if piece.ended:
            self._record([Ended(reward=reward, length=length, outcome=piece.outcome)])
            if self._episode_budget is not None and self._progress.episodes >= self._episode_budget:
                return False
        else:
            self._so_far[piece.episode] = reward, length
        is_cut_off = self._step_cap is not None and self.num_timesteps >= self._step_cap
        return self.locals["is_last"] or not is_cut_off


def build_mirror(config: RunConfig, env: VecEnv, workers: Workers) -> OnPolicyAlgorithm:
    """The model, observable, for `workers` to learn in its place. env: its spaces are all that is used of it.

    What it saves says of rollouts what the config does. Raises what `build_model` raises.
    """
    model = build_model(observed(_mirrored(load_algorithm(config.agent.algorithm))), without_rollouts(config), env)
    model.n_steps, model.n_envs = config.agent.n_steps, config.training.n_envs
    vars(model).update(batch_size=config.agent.batch_size, workers=workers)
    return model


@cache
def _mirrored(algorithm: type[OnPolicyAlgorithm]) -> type[OnPolicyAlgorithm]:
    """`algorithm` with its rollouts and its updates left to `workers`; stock `algorithm.load` opens what it saves."""

    class Mirrored(algorithm):  # type: ignore[misc, valid-type]
        workers: Workers

        def _setup_learn(self, *arguments: Any, **keywords: Any) -> tuple[int, BaseCallback]:
            prepared: tuple[int, BaseCallback] = super()._setup_learn(*arguments, **keywords)
            self.workers.begin(self.policy, env_steps=self.num_timesteps)
            return prepared

        def collect_rollouts(self, _: VecEnv, callback: PieceCallback, *__: Any, **___: Any) -> bool:
            callback.on_rollout_start()
            pieces = [] if callback.is_asked_to_stop() else self.workers.play(callback.is_asked_to_stop)
            if callback.is_asked_to_stop():
                return False
            for index, piece in enumerate(pieces):
                self.num_timesteps += piece.length
                callback.update_locals({"piece": piece, "is_last": index == len(pieces) - 1})
                if not callback.on_step():
                    return False
            callback.on_rollout_end()
            return True

        def train(self) -> None:
            self._update_learning_rate(self.policy.optimizer)
            remaining = self._current_progress_remaining
            rates = Rates(
                learning_rate=self.lr_schedule(remaining),
                clip_range=self.clip_range(remaining),
                clip_range_vf=None if self.clip_range_vf is None else self.clip_range_vf(remaining),
            )
            for name, value in self.workers.learn(rates).items():
                self.logger.record(name, value)
            self.logger.record("train/clip_range", rates.clip_range)
            self.workers.copy_into(self.policy)
            self._n_updates += self.n_epochs

        def _excluded_save_params(self) -> list[str]:
            return [*super()._excluded_save_params(), "workers"]

    return Mirrored
