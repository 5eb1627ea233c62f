"""A game whose actions have three parts with masks of their own, which computes next to nothing."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

SIZES = (8, 8, 4)
LENGTH = 50


class MaskedParts(gym.Env[np.ndarray, np.ndarray]):
    """Pays for parts that match the observation; half of each part's values, which take turns, are legal."""

    observation_space = spaces.Box(0, 1, (sum(SIZES),), np.float32)
    action_space = spaces.MultiDiscrete(SIZES)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self._steps = 0
        return self._observe(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        self._steps += 1
        reward = float(self._observed[int(action[0])])
        return self._observe(), reward, self._steps == LENGTH, False, {}

    def action_masks(self) -> np.ndarray:
        return (np.arange(sum(SIZES)) + self._steps) % 2 == 0

    def _observe(self) -> np.ndarray:
        self._observed = self.np_random.random(sum(SIZES), np.float32)
        return self._observed
