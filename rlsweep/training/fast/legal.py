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

    def __init__(self, env: VecEnv, sizes: Sequence[int], *, use_masking: bool) -> None:
        """Ask an environment whose actions have parts of these sizes; indices count through all parts.

        Raises ValueError, like stock MaskablePPO, if masks are required and the environment has none.
        """
        self._env = env
        self._actions = actions = sum(sizes)
        self._begins = np.cumsum([0, *sizes[:-1]])
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
                raise self._no_action(index, env_steps, "its mask is all zero")
            if self._begins.size > 1 and (part := self._part_without(actions)) is not None:
                raise self._no_action(index, env_steps, f"its mask is all zero for part {part} of the action")
        return legal

    def _part_without(self, actions: Legal) -> int | None:
        """The first part of the action, counted from 1, of which nothing is legal; None if each has something."""
        parts = np.searchsorted(self._begins, actions, side="right")
        found = np.bincount(parts, minlength=self._begins.size + 1)[1:]
        return None if found.all() else int(found.argmin()) + 1

    def _no_action(self, index: int, env_steps: int, why: str) -> EnvironmentStateError:
        return EnvironmentStateError(
            f"Environment {self._env.env_method('__str__', indices=index)[0]} (number {index}) allows no action at env "
            f"step {env_steps}: {why}, but its episode has not ended.",
            is_located=True,
        )

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
