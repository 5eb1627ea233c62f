"""Get the legal actions of a vectorised environment, once per step."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sb3_contrib.common.maskable.utils import is_masking_supported
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

from rlsweep.errors import EnvironmentStateError

INDICES = "legal_action_indices"
"""Optional method of an environment: the legal actions as indices in any order, instead of `action_masks`."""

Legal = Sequence[int] | NDArray[np.integer[Any]]


class LegalActionsOf:
    """Returns the legal actions of each environment of a vectorised environment.

    Environments in this process may return indices; all others return masks.
    """

    def __init__(self, env: VecEnv, actions: int, *, use_masking: bool) -> None:
        """Raises ValueError, like stock MaskablePPO, if masks are required and the environment has none."""
        self._env = env
        self._actions = actions
        self._ask: Callable[[], Sequence[Legal]]
        if not use_masking:
            every = np.arange(actions, dtype=np.int32)
            self._ask = lambda: [every] * env.num_envs
        elif not is_masking_supported(env):
            raise ValueError("Environment does not support action masking. Consider using ActionMasker wrapper")
        elif methods := _index_methods(env):
            self._ask = lambda: [method() for method in methods]
        else:
            self._ask = self._from_masks

    def __call__(self, env_steps: int) -> Sequence[Legal]:
        """The legal actions of each environment. env_steps: steps so far, for the error if there is no legal action."""
        legal = self._ask()
        for index, actions in enumerate(legal):
            if len(actions) == 0:
                raise EnvironmentStateError(
                    f"Environment {self._env.env_method('__str__', indices=index)[0]} (number {index}) allows no "
                    f"action at env step {env_steps}: its mask is all zero, but its episode has not ended.",
                    is_located=True,
                )
        return legal

    def _from_masks(self) -> list[Legal]:
        legal: list[Legal] = []
        for mask in self._env.env_method("action_masks"):
            mask = np.asarray(mask)
            if mask.size != self._actions:
                raise EnvironmentStateError(
                    f"Environment {self._env.env_method('__str__')[len(legal)]} gives a mask of shape {mask.shape} "
                    f"for {self._actions} actions."
                )
            legal.append(np.flatnonzero(mask))
        return legal


def _index_methods(env: VecEnv) -> list[Callable[[], Legal]]:
    """The environments' methods that return indices; none if a wrapper around one of them has its own mask."""
    vector = env.unwrapped
    if not isinstance(vector, DummyVecEnv) or not env.has_attr(INDICES):
        return []
    methods = [each.get_wrapper_attr(INDICES) for each in vector.envs]
    masks = [each.get_wrapper_attr("action_masks") for each in vector.envs]
    if any(method.__self__ is not mask.__self__ for method, mask in zip(methods, masks, strict=True)):
        return []
    return methods
