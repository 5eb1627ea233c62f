"""An environment of any actions, of which a few, drawn anew at every step, are legal."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rlsweep.training.fast.rollout import part_sizes


class MaskedEnv(gym.Env[np.ndarray, Any]):
    """Rewards even actions, or small continuous ones.

    actions: a number of them, or a space; each part of a MultiDiscrete or MultiBinary action has legal values
    legal: how many are legal at a step, at most; None for all. Episodes last `length` steps
    """

    def __init__(
        self,
        actions: int | spaces.Space[Any],
        *,
        legal: int | None = 8,
        features: int = 12,
        length: int = 9,
        cut: bool = False,
    ) -> None:
        self.observation_space = spaces.Box(-1, 1, (features,), np.float32)
        self.action_space = spaces.Discrete(actions) if isinstance(actions, int) else actions
        self._sizes = () if isinstance(actions, spaces.Box) else part_sizes(self.action_space)
        self._legal, self._length, self._cut = legal, length, cut
        self._step = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._step = 0
        return self._observe(), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(np.asarray(action, self.action_space.dtype))
        values = np.ravel(action).astype(int) if self._sizes else np.ravel(action)
        if self._sizes:
            begins = np.cumsum([0, *self._sizes[:-1]])
            assert self._mask[begins + values].all(), "an illegal action"
        self._step += 1
        over = self._step == self._length
        reward = float(values.sum() % 2 == 0) if self._sizes else -float(np.square(values).sum())
        return self._observe(), reward, over and not self._cut, over and self._cut, {}

    def action_masks(self) -> np.ndarray:
        return self._mask.copy()

    def _observe(self) -> np.ndarray:
        self._mask = np.concatenate([self._part(size) for size in self._sizes] or [np.zeros(0, np.bool_)])
        return self.np_random.uniform(-1, 1, self.observation_space.shape).astype(np.float32)

    def _part(self, size: int) -> np.ndarray:
        if self._legal is None:
            return np.ones(size, np.bool_)
        mask = np.zeros(size, np.bool_)
        count = self.np_random.integers(1, min(self._legal, size) + 1)
        mask[self.np_random.choice(size, count, replace=False)] = True
        return mask
