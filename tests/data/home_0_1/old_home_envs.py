"""The environment of the old home's sweeps. Its checkpoints hold pickled copies: keep the names of module and class."""

import os
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

Observation = np.ndarray[Any, np.dtype[np.float32]]

TROUBLE = "OLD_HOME_TROUBLE"
"""Names the environment variable that makes a run fail: `nan:250` or `raise:250`, from env step 250 on."""


class TenSteps(gym.Env[Observation, int]):
    """Episodes of ten steps with random observations. Action 1 earns the first number seen, action 0 earns nothing."""

    observation_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self) -> None:
        self._length = 0
        self._steps = 0
        self._seen = np.zeros(2, np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        super().reset(seed=seed)
        self._length = 0
        return self._observe(), {}

    def step(self, action: int) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        self._length += 1
        self._steps += 1
        reward = float(self._seen[0]) * float(action)
        kind, _, first = os.environ.get(TROUBLE, "").partition(":")
        if kind and self._steps >= int(first):
            if kind == "raise":
                raise ZeroDivisionError("a mistake in the environment")
            reward = float("nan")
        return self._observe(), reward, self._length == 10, False, {}

    def _observe(self) -> Observation:
        self._seen = self.np_random.uniform(-1, 1, 2).astype(np.float32)
        return self._seen
