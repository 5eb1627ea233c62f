"""Methods, properties and keys that look like action masks, for an environment in which none was found."""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rlsweep.envs.flatten import MASK_KEY
from rlsweep.envs.masks import METHOD, content_problem, mask_length
from rlsweep.envs.user_code import layers_of, place_of_function

_LEGAL = "valid|legal|avail|possible|allowed|permitted|feasible|admissible|playable"
_NAME = re.compile(rf"mask|({_LEGAL})\w*(action|move)|(action|move)\w*({_LEGAL})", re.IGNORECASE)
_NAME_OF_A_MASK = re.compile(rf"(?=.*mask)(?=.*(action|move|{_LEGAL}))", re.IGNORECASE)
_CHANGES_STATE = re.compile(r"random|sample|choose|pick|select|play|apply|execute|perform|take|make|do_", re.IGNORECASE)
_BASE_NAMES = frozenset(dir(gym.Wrapper))
_UNKNOWN = object()
"""The value of a method or property that cannot be read without arguments, or raises."""


@dataclass(frozen=True, slots=True)
class Lookalike:
    """Something that looks like an action mask.

    where: what it is, for a message; expected: the name that is read; place: of its code, as ` (file, line 3)`
    """

    name: str
    where: str
    expected: str
    place: str = ""


def find_lookalike(env: Any, observation: Any, info: Mapping[str, Any], space: spaces.Space[Any]) -> Lookalike | None:
    """Return what looks like an action mask of the current step, if anything does.

    A name with `mask` and `action` or `valid` suffices if its value is an array. A name such as `legal_moves` does if
    its value is a mask, or lists the numbers of actions, and excludes an action.
    """
    for look, value in _candidates(env, observation, info):
        if _is_mask(look.name, value, space):
            return look
    return None


def _candidates(env: Any, observation: Any, info: Mapping[str, Any]) -> Iterator[tuple[Lookalike, Any]]:
    place = place_of_function(env, "step")
    if isinstance(observation, Mapping):
        for key in observation:
            if _NAME.search(str(key)):
                yield Lookalike(str(key), f"key {key!r} of the observation", MASK_KEY, place), observation[key]
    for key in info:
        if _NAME.search(str(key)):
            yield Lookalike(str(key), f"key {key!r} of info", MASK_KEY, place), info[key]
    for layer in layers_of(env):
        if type(layer).__module__.partition(".")[0] in ("gymnasium", "pettingzoo"):
            continue
        names = [*vars(layer), *dir(type(layer))]
        for name in dict.fromkeys(name for name in names if _NAME.search(name)):
            if name not in _BASE_NAMES and not name.startswith("__"):
                yield _attribute(layer, name)


def _attribute(layer: Any, name: str) -> tuple[Lookalike, Any]:
    place = place_of_function(layer, name)
    value: Any = _UNKNOWN
    try:
        value = getattr(layer, name)
    except Exception:  # noqa: BLE001 - a property may raise anything
        return Lookalike(name, f"property {name}", METHOD, place), value
    if not callable(value):
        return Lookalike(name, f"property {name}", METHOD, place), value
    look = Lookalike(name, f"{name}()", METHOD, place)
    try:
        inspect.signature(value).bind()
        may_call = _NAME_OF_A_MASK.search(name) or not _CHANGES_STATE.search(name)
        return look, value() if may_call else None
    except Exception:  # noqa: BLE001 - it needs arguments, or raises
        return look, _UNKNOWN


def _is_mask(name: str, value: Any, space: spaces.Space[Any]) -> bool:
    is_named = _NAME_OF_A_MASK.search(name) is not None
    if value is _UNKNOWN:
        return is_named
    if not isinstance(value, np.ndarray | list | tuple | set | frozenset):
        return False
    try:
        values = np.asarray(list(value))
    except ValueError:
        return is_named
    if is_named and values.ndim and values.size > 1:
        return True
    return _excludes_an_action(values, space)


def _excludes_an_action(values: np.ndarray, space: spaces.Space[Any]) -> bool:
    length = mask_length(space)
    assert length is not None
    values = values.ravel()
    if values.size == length and content_problem(values, space) is None:
        return not values.all()
    if values.dtype.kind not in "iu" or not isinstance(space, spaces.Discrete):
        return False
    numbers = set(values.tolist())
    return len(numbers) == values.size < length and all(0 <= number < length for number in numbers)
