from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv

from rlsweep.training.vector import LeanVecEnv


class Counting(gym.Env[Any, Any]):
    """Counts its steps; an episode ends, is cut, or both at once, at four."""

    action_space = spaces.Discrete(2)

    def __init__(self, *, cut: bool, ended: bool, keyed: bool = False) -> None:
        box = spaces.Box(0, 9, (1,), np.float32)
        self.observation_space = spaces.Dict({"count": box}) if keyed else box
        self._cut, self._ended, self._keyed = cut, ended, keyed

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._count = 0
        return self._observe(), {"dealt": True}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._count += 1
        over = self._count == 4
        return self._observe(), self._count + action, over and self._ended, over and self._cut, {"count": self._count}

    def _observe(self) -> Any:
        seen = np.array([self._count], np.float32)
        return {"count": seen} if self._keyed else seen


ENDS = [(True, False), (False, True), (True, True)]


@pytest.mark.parametrize("keyed", [False, True])
def test_steps_as_sb3_does(keyed: bool) -> None:
    lean, stock = (
        vector([partial(Counting, cut=cut, ended=ended, keyed=keyed) for cut, ended in ENDS])
        for vector in (LeanVecEnv, DummyVecEnv)
    )
    np.testing.assert_equal(lean.reset(), stock.reset())
    kept = []
    for step in range(6):
        actions = np.array([step % 2, 1, 0])
        ours, theirs = lean.step(actions), stock.step(actions)
        np.testing.assert_equal(ours, theirs)
        assert [part.dtype for part in ours[1:3]] == [part.dtype for part in theirs[1:3]]
        assert lean.reset_infos == stock.reset_infos
        kept.append((ours, theirs))
    for ours, theirs in kept:  # nothing that was given out has changed since
        np.testing.assert_equal(ours, theirs)
