"""Environments for tests of the driver: two actions, both legal, episodes of ten steps, trouble on purpose."""

import os
import sys
import time
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

Observation = np.ndarray[Any, np.dtype[np.float32]]


class Calm(gym.Env[Observation, int]):
    """Goes well; every step takes `seconds`."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.observation_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.action_space = spaces.Discrete(2)
        self._seconds = seconds
        self._length = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        super().reset(seed=seed)
        self._length = 0
        return self._observation(), {}

    def step(self, action: int) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        time.sleep(self._seconds)
        self._length += 1
        return self._observation(), float(action), self._length == 10, False, {}

    def _observation(self) -> Observation:
        return self.np_random.uniform(-1, 1, 2).astype(np.float32)


class SeesGpus(Calm):
    """Notes, in trials alone, which GPUs CUDA would find."""

    def __init__(self, log: str) -> None:
        super().__init__()
        if "ray" in sys.modules:
            with Path(log).open("a") as file:
                file.write(os.environ.get("CUDA_VISIBLE_DEVICES", "all") + "\n")


class _Troubled(Calm):
    """Has its trouble at the end of an episode, in trials alone: the plan's child process, without Ray, sees it well.

    With a `marker` file only the first one to get there has it; `after` so many episodes.
    """

    def __init__(self, marker: str = "", seconds: float = 0.0, after: int = 0) -> None:
        super().__init__(seconds)
        self._marker = marker
        self._episodes_left = after

    def step(self, action: int) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        stepped = super().step(action)
        if stepped[2]:
            self._episodes_left -= 1
            if self._episodes_left < 0 and "ray" in sys.modules and self._is_first():
                self._trouble()
        return stepped

    def _is_first(self) -> bool:
        if not self._marker:
            return True
        try:
            Path(self._marker).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def _trouble(self) -> None:
        raise NotImplementedError


class Raises(_Troubled):
    """Raises an error of its own."""

    def _trouble(self) -> None:
        raise ZeroDivisionError("a mistake in the environment")


class Dies(_Troubled):
    """Ends its process without a word."""

    def _trouble(self) -> None:
        os._exit(7)


class Fated(_Troubled):
    """Goes by the trial's seed: 0 goes well, 1 raises, 2 dies once, `after` some episodes, and 3 whenever it is begun.

    Its marker is a relative path: the folder of the command is that of the trials.
    """

    _fate: int | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        if self._fate is None and seed is not None:
            self._fate = min(seed, 2**31 - 1 - seed)  # a check's environment counts down from the top
            if self._fate != 2:
                self._episodes_left = 0
        return super().reset(seed=seed, options=options)

    def _is_first(self) -> bool:
        return self._fate != 2 or super()._is_first()

    def _trouble(self) -> None:
        if self._fate == 1:
            raise ZeroDivisionError("a mistake in the environment")
        if self._fate != 0:
            os._exit(7)


class Hangs(_Troubled):
    """Never comes back."""

    def _trouble(self) -> None:
        time.sleep(3600)


class HangsOnceTold(Calm):
    """Never comes back from a step once the file is there."""

    def __init__(self, told: str, seconds: float = 0.0) -> None:
        super().__init__(seconds)
        self._told = Path(told)

    def step(self, action: int) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        if self._told.exists():
            time.sleep(3600)
        return super().step(action)
