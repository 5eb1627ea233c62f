"""A rollout buffer that stores legal actions as indices, with less than a hundredth of the memory of masks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.buffers import RolloutBuffer

from rlsweep.training.fast.advantages import advantages


class LegalActions:
    """The legal actions of sample after sample: those of sample i are `actions[starts[i] : starts[i + 1]]`.

    actions int32, longer than what is filled; starts int64 (samples + 1,)
    """

    def __init__(self, samples: int) -> None:
        self.actions = np.empty(8 * samples, np.int32)
        self.starts = np.zeros(samples + 1, np.int64)
        self._samples = 0

    def append(self, legal: Sequence[int] | NDArray[np.integer[Any]]) -> None:
        """Add the legal actions of a sample."""
        begin = int(self.starts[self._samples])
        end = begin + len(legal)
        if end > self.actions.size:
            self.actions = np.concatenate([self.actions, np.empty(max(self.actions.size, len(legal)), np.int32)])
        self.actions[begin:end] = legal
        self._samples += 1
        self.starts[self._samples] = end

    def last(self, samples: int) -> NDArray[np.int64]:
        """The `starts` of the last samples: (samples + 1,)."""
        return self.starts[self._samples - samples : self._samples + 1]

    def most(self, samples: int) -> int:
        """Maximum number of legal actions of any `samples` samples together."""
        counts = np.diff(self.starts)
        return int(np.sort(counts)[-samples:].sum())


class LegalRolloutBuffer(RolloutBuffer):
    """SB3's buffer with the legal actions of every step.

    legal: in order of collection: all environments of the first step, of the second, …
    """

    legal: LegalActions

    def reset(self) -> None:
        """Remove all steps."""
        super().reset()
        self.legal = LegalActions(self.buffer_size * self.n_envs)

    def add(
        self,
        obs: NDArray[Any],
        action: NDArray[np.int64],
        reward: NDArray[Any],
        episode_start: NDArray[Any],
        value: torch.Tensor,
        log_prob: torch.Tensor,
    ) -> None:
        """Add a step of every environment; its legal actions go into `legal`."""
        step = self.pos
        self.observations[step] = obs.reshape(self.observations.shape[1:])
        self.actions[step, :, 0] = action
        self.rewards[step] = reward
        self.episode_starts[step] = episode_start
        self.values[step] = value.numpy()[:, 0]
        self.log_probs[step] = log_prob.numpy()
        self.pos = step + 1
        self.full = self.pos == self.buffer_size

    def compute_returns_and_advantage(self, last_values: torch.Tensor, dones: NDArray[np.bool_]) -> None:
        """Compute advantages and returns as SB3 does, in a compiled loop.

        last_values: values of the observations after the last step; dones (n_envs,): whether it ended an episode
        """
        advantages(
            self.rewards,
            self.values,
            self.episode_starts,
            last_values.cpu().numpy().reshape(self.n_envs).astype(self.values.dtype),
            dones.astype(self.values.dtype),
            self.values.dtype.type(self.gamma),
            self.values.dtype.type(self.gamma * self.gae_lambda),
            self.advantages,
        )
        self.returns = self.advantages + self.values
