"""SB3 callback that records ended episodes, and ends training at the budget or on a stop request."""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecNormalize
from typing_extensions import override

from rlsweep.config.run import RunConfig
from rlsweep.errors import DivergedError
from rlsweep.runs import RECENT_EPISODES, Episode, Outcome
from rlsweep.training.fast.step_callback import StepCallback
from rlsweep.training.progress import Progress
from rlsweep.training.recorder import Recorder


@dataclass(frozen=True, kw_only=True, slots=True)
class EndedEpisode:
    """An ended episode: undiscounted sum of rewards, env steps, and the environment's outcome (None if it has none)."""

    reward: float
    length: int
    outcome: str | None


class EpisodeCallback(StepCallback):
    """Counts env steps and records episodes; ends training after exactly the budgeted episodes, or at the step cap.

    Runs at every env step, so it reads `infos` only when an episode ends. It keeps `progress` up to date.

    stopped: whether training ended because the recorder requested it
    recent: the last RECENT_EPISODES episodes
    unlogged: episodes not yet written to TensorBoard; the caller clears the list
    """

    def __init__(
        self,
        config: RunConfig,
        recorder: Recorder,
        progress: Progress,
        *,
        normalizer: VecNormalize | None,
    ) -> None:
        super().__init__()
        self.stopped = False
        self.recent: deque[Episode] = deque(maxlen=RECENT_EPISODES)
        self.unlogged: list[Episode] = []
        self._recorder = recorder
        self._progress = progress
        self._episode_budget = config.budget.episodes
        self._step_cap = config.budget.step_cap
        self._rollout_calls = config.agent.n_steps
        self._normalizer = normalizer
        self._rewards = np.zeros(config.training.n_envs)
        self._started_at = np.zeros(config.training.n_envs, dtype=np.int64)

    @property
    def unfinished(self) -> tuple[np.ndarray, np.ndarray]:
        """Rewards (float64) and lengths (int64) so far of the unfinished episodes, each of shape (n_envs,)."""
        return self._rewards.copy(), self.n_calls - self._started_at

    @unfinished.setter
    def unfinished(self, rewards_and_lengths: tuple[np.ndarray, np.ndarray]) -> None:
        rewards, lengths = rewards_and_lengths
        self._rewards = rewards.copy()
        self._started_at = self.n_calls - lengths

    @override
    def _after_step(
        self, rewards: NDArray[np.floating[Any]], dones: NDArray[np.bool_], infos: list[dict[str, Any]]
    ) -> bool:
        self._progress.env_steps = self.num_timesteps
        if self._normalizer is not None:
            rewards = self._normalizer.get_original_reward()
        # for so few numbers, plain Python is several times faster than NumPy
        if not math.isfinite(sum(rewards.tolist())):
            raise DivergedError(
                f"The environment gave a reward that is NaN or infinite, {rewards.tolist()}, at env step "
                f"{self.num_timesteps}, in episode {self._progress.episodes + 1}, before update "
                f"{self._progress.updates + 1}."
            )
        self._rewards += rewards
        if True in (ended := dones.tolist()):
            self._end_episodes([index for index, has_ended in enumerate(ended) if has_ended], infos)
            if self._episode_budget is not None and self._progress.episodes >= self._episode_budget:
                return False
        if self._step_cap is not None and self._is_cut_off(self._step_cap):
            return False
        self.stopped = self._recorder.stop_requested
        return not self.stopped

    def _is_cut_off(self, step_cap: int) -> bool:
        """Whether the step cap ends an incomplete rollout; after a complete one, SB3 updates and ends by itself."""
        return self.num_timesteps >= step_cap and self.n_calls % self._rollout_calls != 0

    def _end_episodes(self, ended: list[int], infos: list[dict[str, Any]]) -> None:
        if self._episode_budget is not None:
            # parallel environments may end more episodes in one step than the budget has left
            ended = ended[: self._episode_budget - self._progress.episodes]
        self._record(
            EndedEpisode(
                reward=float(self._rewards[index]),
                length=self.n_calls - int(self._started_at[index]),
                outcome=infos[index].get("outcome"),
            )
            for index in ended
        )
        for index in ended:
            self._rewards[index] = 0.0
            self._started_at[index] = self.n_calls

    def _record(self, ended: Iterable[EndedEpisode]) -> None:
        """Number the episodes that ended at this env step, and pass them to the recorder."""
        seconds = self._progress.seconds
        episodes = []
        for each in ended:
            self._progress.episodes += 1
            episodes.append(
                Episode(
                    episode=self._progress.episodes,
                    env_steps=self.num_timesteps,
                    reward=each.reward,
                    length=each.length,
                    outcome=None if each.outcome is None else Outcome(each.outcome),
                    seconds=seconds,
                )
            )
        self.recent.extend(episodes)
        self.unlogged.extend(episodes)
        self._recorder.add_episodes(episodes)
