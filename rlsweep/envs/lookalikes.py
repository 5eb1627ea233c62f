"""Methods, properties and keys that look like action masks, for an environment in which none was found."""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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

    where: what it is, for a message; expected: the name that is read
    owner, function: the environment or wrapper, and its method or property that has or returns it
    numbers: whether it holds the numbers of the legal actions
    """

    name: str
    where: str
    expected: str
    owner: Any
    function: str
    numbers: bool = False

    @property
    def message(self) -> str:
        """What is wrong, with file and line, and the cures."""
        place = place_of_function(self.owner, self.function)
        if self.name == self.expected:
            return (
                f"{self.where} is there after a step, but not after reset, so every action would count as legal"
                f"{place}. Return it from reset too."
            )
        cure = f"Rename it to {self.expected}, or set environment.mask: {self.name} (or none, if it is no mask)."
        if self.numbers:
            cure = (
                f"It holds numbers of actions: give the environment a method {METHOD}() that returns np.isin(np.arange("
                f"n), them), or set environment.mask: none."
            )
        return (
            f"{self.where} looks like an action mask, but only {self.expected} is read, so every action would count as "
            f"legal{place}. {cure}"
        )


def find_lookalike(env: Any, observation: Any, info: Mapping[str, Any], space: spaces.Space[Any]) -> Lookalike | None:
    """Return what looks like an action mask of the current step, if anything does.

    A name with `mask` and `action` or `valid` suffices if its value is an array. A name such as `legal_moves` does if
    its value is a mask, or lists the numbers of actions, and excludes an action.
    """
    for look, value in _candidates(env, observation, info):
        if _is_mask(look.name, value, space):
            return replace(look, numbers=_holds_numbers(value, space))
    return None


def _candidates(env: Any, observation: Any, info: Mapping[str, Any]) -> Iterator[tuple[Lookalike, Any]]:
    if isinstance(observation, Mapping):
        for key in observation:
            if _NAME.search(str(key)):
                yield Lookalike(str(key), f"key {key!r} of the observation", MASK_KEY, env, "step"), observation[key]
    for key in info:
        if _NAME.search(str(key)):
            yield Lookalike(str(key), f"key {key!r} of info", MASK_KEY, env, "step"), info[key]
    for layer in layers_of(env):
        if type(layer).__module__.partition(".")[0] in ("gymnasium", "pettingzoo"):
            continue
        names = [*vars(layer), *dir(type(layer))]
        for name in dict.fromkeys(name for name in names if _NAME.search(name)):
            if name not in _BASE_NAMES and not name.startswith("__"):
                yield _attribute(layer, name)


def _attribute(layer: Any, name: str) -> tuple[Lookalike, Any]:
    look = Lookalike(name, f"property {name}", METHOD, layer, name)
    value: Any = _UNKNOWN
    try:
        value = getattr(layer, name)
    except Exception:  # noqa: BLE001 - a property may raise anything
        return look, value
    if not callable(value):
        return look, value
    look = replace(look, where=f"{name}()")
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
    values = values.ravel()
    if values.size == mask_length(space) and content_problem(values, space) is None:
        return not values.all()
    return _holds_numbers(value, space)


def _holds_numbers(value: Any, space: spaces.Space[Any]) -> bool:
    """Whether a value holds the numbers of some actions, but not of all."""
    if not isinstance(space, spaces.Discrete) or not isinstance(value, np.ndarray | list | tuple | set | frozenset):
        return False
    numbers = list(value)
    if not all(isinstance(number, int | np.integer) and not isinstance(number, bool) for number in numbers):
        return False
    return len(set(numbers)) == len(numbers) < space.n and all(0 <= number < space.n for number in numbers)
