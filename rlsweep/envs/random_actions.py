"""Draw random legal actions: the one way in which checks and measurements play an environment."""

import copy
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rlsweep.envs.masks import METHOD, mask_parts


class RandomActions:
    """Draws from an action space, uniformly among the legal actions. It leaves the space's own generator alone."""

    def __init__(self, space: spaces.Space[Any], seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._space = copy.deepcopy(space)
        self._space.seed(seed)
        self._parts = mask_parts(space)

    def draw(self, mask: NDArray[np.bool_] | None) -> Any:
        """A legal action. mask: as `make_env` has it; None allows every action."""
        if mask is None or self._parts is None:
            return self._space.sample()
        if isinstance(self._space, spaces.Discrete):
            return np.int64(self._random.choice(np.flatnonzero(mask)))
        parts = np.split(np.asarray(mask), np.cumsum(self._parts)[:-1])
        return np.array([self._random.choice(np.flatnonzero(part)) for part in parts], self._space.dtype)

    def draw_for(self, env: gym.Env[Any, Any]) -> Any:
        """An action that is legal in `env` now."""
        return self.draw(mask_of(env))


def mask_of(env: gym.Env[Any, Any]) -> NDArray[np.bool_] | None:
    """The action mask of an environment of `make_env`; None if its actions cannot be masked."""
    if not env.has_wrapper_attr(METHOD):
        return None
    mask: NDArray[np.bool_] = env.get_wrapper_attr(METHOD)()
    return mask
