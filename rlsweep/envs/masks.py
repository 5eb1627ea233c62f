"""Where the action masks of an environment are, how they are read, and what is wrong with one."""

import functools
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import FunctionType
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rlsweep.envs.flatten import MASK_KEY
from rlsweep.envs.user_code import layers_of

METHOD = "action_masks"
"""The method of an environment that returns its mask, as in sb3-contrib."""

NO_MASKS = "none"
"""The value of `environment.mask` with which every action counts as legal."""

_MOST_SHOWN = 8


class MaskPlace(StrEnum):
    """What holds the masks."""

    METHOD = "method"
    PROPERTY = "property"
    OBSERVATION = "observation"
    INFO = "info"
    GAME = "game"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class MaskSource:
    """Where an environment's masks are. name: of the method, property or key."""

    place: MaskPlace
    name: str = ""

    def __str__(self) -> str:
        return {
            MaskPlace.METHOD: f"{self.name}() of the environment",
            MaskPlace.PROPERTY: f"property {self.name} of the environment",
            MaskPlace.OBSERVATION: f"key {self.name} of the observation",
            MaskPlace.INFO: f"key {self.name} of info",
            MaskPlace.GAME: "the game itself",
            MaskPlace.NOWHERE: "none; every action counts as legal",
        }[self.place]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a value that an environment returned, as a clause, and how to correct it."""

    what: str
    cure: str


def find_source(env: Any, observation: Any, info: Mapping[str, Any], wanted: str | None) -> MaskSource | None:
    """Where the masks of an environment are that was just reset.

    observation, info: what `reset` returned
    wanted: `environment.mask`; None looks for `action_masks` and for the key `action_mask`
    Returns None if `wanted` is nowhere.
    """
    if wanted == NO_MASKS:
        return MaskSource(MaskPlace.NOWHERE)
    if (owner := owner_of(env, wanted or METHOD)) is not None:
        place = MaskPlace.METHOD if is_method(owner, wanted or METHOD) else MaskPlace.PROPERTY
        return MaskSource(place, wanted or METHOD)
    if (in_values := find_key(observation, info, wanted or MASK_KEY)) is not None:
        return in_values
    return None if wanted else MaskSource(MaskPlace.NOWHERE)


def find_key(observation: Any, info: Mapping[str, Any], key: str) -> MaskSource | None:
    """The mask with this key, in an observation or an info."""
    if isinstance(observation, Mapping) and key in observation:
        return MaskSource(MaskPlace.OBSERVATION, key)
    return MaskSource(MaskPlace.INFO, key) if key in info else None


def owner_of(env: Any, name: str) -> Any:
    """The environment or wrapper that has the method or property `name`; None if there is none.

    Properties are not evaluated: one may raise before the first reset.
    """
    layer = env
    for layer in layers_of(env):
        if inspect.getattr_static(layer, name, None) is not None:
            return layer
    try:
        return layer if getattr(layer, name, None) is not None else None  # a `__getattr__` of the user's
    except Exception:  # noqa: BLE001 - whatever a `__getattr__` raises
        return None


def is_method(owner: Any, name: str) -> bool:
    """Whether `name` is to be called; a property is not evaluated."""
    static = inspect.getattr_static(owner, name, None)
    if isinstance(static, property | functools.cached_property):
        return False
    return isinstance(static, FunctionType | staticmethod | classmethod) or callable(getattr(owner, name))


def mask_length(space: spaces.Space[Any]) -> int | None:
    """Values of an action mask: n for Discrete(n), sum(nvec) for MultiDiscrete, 2n for MultiBinary(n).

    None for other spaces, which have no masks.
    """
    parts = mask_parts(space)
    return None if parts is None else sum(parts)


def mask_parts(space: spaces.Space[Any]) -> list[int] | None:
    """How many values of the mask each part of an action has; None if the space has no masks."""
    if isinstance(space, spaces.Discrete):
        return [int(space.n)]
    if isinstance(space, spaces.MultiDiscrete) and space.nvec.ndim == 1:
        return [int(n) for n in space.nvec]
    if isinstance(space, spaces.MultiBinary) and isinstance(space.n, int):
        return [2] * space.n
    return None


def mask_problem(mask: Any, space: spaces.Space[Any]) -> Problem | None:
    """Return what is wrong with an environment's mask; None if it can be used: 0 or 1 for each action, one legal."""
    parts = mask_parts(space)
    assert parts is not None
    return content_problem(mask, space) or _none_legal(np.asarray(mask), parts)


def content_problem(mask: Any, space: spaces.Space[Any]) -> Problem | None:
    """Do the same for a mask that may allow no action, as after the end of an episode."""
    length = mask_length(space)
    cure = f"return {length} values, True for each legal action"
    if mask is None:
        return Problem("is None", cure)
    try:
        values = np.asarray(mask)
    except ValueError:
        return Problem(
            "is a list of lists of different lengths",
            f"return one flat array of {length} values: the choices of each part of the action, one after the other",
        )
    if values.dtype.kind not in "biuf":
        return Problem(f"is {_shown(mask)}", cure)
    if values.shape != (length,) and values.size == length:
        return Problem(f"has the shape {values.shape}", f"return a flat array of shape ({length},)")
    if _holds_indices(values, length):
        return Problem(
            f"holds the numbers of actions, {_shown(values)}", f"{cure}: np.isin(np.arange({length}), numbers)"
        )
    if values.shape != (length,):
        return Problem(f"has {values.size} values", f"{_kind(space)} needs {length}, True for each legal choice")
    if values.dtype.kind == "f" and np.isneginf(values).any():
        return Problem("holds -inf, as logits do", "return True for each legal action: np.isfinite(mask)")
    other = [] if values.dtype.kind == "b" else values[(values != 0) & (values != 1)]
    return Problem(f"holds {other[0]}", "every value must be 0 (illegal) or 1 (legal)") if len(other) else None


def _holds_indices(values: NDArray[Any], length: int | None) -> bool:
    assert length is not None
    if values.dtype.kind not in "iu" or values.ndim != 1 or not values.size or len(set(values.tolist())) < values.size:
        return False
    return bool(values.min() >= 0 and values.max() < length and (values.max() > 1 or values.size != length))


def _none_legal(values: NDArray[Any], parts: list[int]) -> Problem | None:
    cure = "True means legal, and one must be until the episode ends"
    if values.dtype.kind == "f":
        cure += " (as logits have 0 for it, return np.isfinite(mask))"
    legal = values != 0
    start = 0
    for number, size in enumerate(parts, start=1):
        if not legal[start : start + size].any():
            part = "" if len(parts) == 1 else f" for part {number} of the action"
            return Problem(f"allows no action{part}", cure)
        start += size
    return None


def _kind(space: spaces.Space[Any]) -> str:
    if isinstance(space, spaces.MultiBinary):
        return f"{space} with two choices for each value, 0 and 1,"
    return str(space)


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        values = value.tolist()
        return str(values) if value.size <= _MOST_SHOWN else f"{str(values[:_MOST_SHOWN])[:-1]}, …]"
    text = repr(value)
    return text if len(text) < 100 else f"a {type(value).__name__}"
