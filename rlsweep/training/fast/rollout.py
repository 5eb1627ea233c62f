"""Rollout buffers; one stores legal actions as indices, with less than a hundredth of the memory of masks."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.buffers import RolloutBuffer

from rlsweep.training.fast.advantages import advantages


def part_sizes(space: spaces.Space[Any]) -> tuple[int, ...]:
    """How many values each part of a categorical action has: K numbers, one for Discrete."""
    if isinstance(space, spaces.Discrete):
        return (int(space.n),)
    if isinstance(space, spaces.MultiDiscrete):
        return tuple(space.nvec.tolist())
    assert isinstance(space, spaces.MultiBinary)
    return (2,) * math.prod(space.shape)


class LegalActions:
    """The legal rows of the action head, sample after sample, and of each sample part after part.

    Those of part k of sample i are `actions[starts[i * K + k] : starts[i * K + k + 1]]`, with K parts.

    actions int32, longer than what is filled; starts int64 (samples K + 1,)
    """

    def __init__(self, samples: int, sizes: Sequence[int]) -> None:
        """sizes: values of each part."""
        self._ends = np.cumsum(sizes)
        self._parts = len(sizes)
        self.actions = np.empty(8 * samples * self._parts, np.int32)
        self.starts = np.zeros(samples * self._parts + 1, np.int64)
        self._filled = 0

    def append(self, legal: Sequence[int] | NDArray[np.integer[Any]]) -> None:
        """Add the legal rows of a sample, in any order."""
        begin = int(self.starts[self._filled])
        end = begin + len(legal)
        if end > self.actions.size:
            self.actions = np.concatenate([self.actions, np.empty(max(self.actions.size, len(legal)), np.int32)])
        if self._parts == 1:
            self.actions[begin:end] = legal
            self.starts[self._filled + 1] = end
        else:
            in_order = np.sort(legal)
            self.actions[begin:end] = in_order
            self.starts[self._filled + 1 : self._filled + 1 + self._parts] = begin + in_order.searchsorted(self._ends)
        self._filled += self._parts

    def last(self, samples: int) -> NDArray[np.int64]:
        """The `starts` of the last samples: (samples K + 1,)."""
        return self.starts[self._filled - samples * self._parts : self._filled + 1]

    def most(self, samples: int) -> int:
        """Maximum number of legal rows of any `samples` samples together."""
        counts = np.diff(self.starts[:: self._parts])
        return int(np.sort(counts)[-samples:].sum())


class FastRolloutBuffer(RolloutBuffer):
    """SB3's buffer, filled with fewer copies, and with compiled advantages."""

    def add(
        self,
        obs: NDArray[Any],
        action: NDArray[Any],
        reward: NDArray[Any],
        episode_start: NDArray[Any],
        value: torch.Tensor,
        log_prob: torch.Tensor,
    ) -> None:
        """Add a step of every environment."""
        step = self.pos
        self.observations[step] = obs.reshape(self.observations.shape[1:])
        self.actions[step] = action.reshape(self.actions.shape[1:])
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


class LegalRolloutBuffer(FastRolloutBuffer):
    """With the legal actions of every step.

    legal: in order of collection: all environments of the first step, of the second, …
    """

    legal: LegalActions

    def reset(self) -> None:
        """Remove all steps."""
        super().reset()
        self.legal = LegalActions(self.buffer_size * self.n_envs, part_sizes(self.action_space))
