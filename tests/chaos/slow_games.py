"""A game that takes its time, so that there is time to be killed in; it can be copied, as its game can."""

import time
from typing import Any

import gymnasium as gym

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs import make_env


class SlowConnectFour(gym.Wrapper[Any, Any, Any, Any]):
    """Connect Four against a random opponent, each step of which waits a little."""

    def __init__(self, seconds: float) -> None:
        super().__init__(make_env(EnvironmentSpec(), seed=0))
        self._seconds = seconds

    def step(self, action: Any) -> Any:
        time.sleep(self._seconds)
        return self.env.step(action)

    def action_masks(self) -> Any:
        return self.env.get_wrapper_attr("action_masks")()
