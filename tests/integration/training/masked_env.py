"""An environment of any number of actions, of which a few, drawn anew at every step, are legal."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces


class MaskedEnv(gym.Env[np.ndarray, np.int64]):
    """Rewards even actions. `legal`: how many are legal at a step, at most; episodes last `length` steps."""

    def __init__(self, actions: int, *, legal: int = 8, features: int = 12, length: int = 9, cut: bool = False) -> None:
        self.observation_space = spaces.Box(-1, 1, (features,), np.float32)
        self.action_space = spaces.Discrete(actions)
        self._legal, self._length, self._cut = min(legal, actions), length, cut
        self._step = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._step = 0
        return self._observe(), {}

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        assert self._mask[action], "an illegal action"
        self._step += 1
        over = self._step == self._length
        return self._observe(), float(action % 2 == 0), over and not self._cut, over and self._cut, {}

    def action_masks(self) -> np.ndarray:
        return self._mask.copy()

    def _observe(self) -> np.ndarray:
        self._mask = np.zeros(self.action_space.n, np.bool_)
        count = self.np_random.integers(1, self._legal + 1)
        self._mask[self.np_random.choice(self.action_space.n, count, replace=False)] = True
        return self.np_random.uniform(-1, 1, self.observation_space.shape).astype(np.float32)
