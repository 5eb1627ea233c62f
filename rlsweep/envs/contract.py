"""What `reset` and `step` of an environment must return: Gymnasium's contract, as problems with their cures."""

import inspect
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from rlsweep.envs.masks import Problem

_STEP = "Gymnasium's returns 5: observation, reward, terminated, truncated, info"
_RESET = "Gymnasium's returns 2: observation, info"


def step_problem(result: Any, space: spaces.Space[Any], *, without: Collection[str] = ()) -> Problem | None:
    """Return what is wrong with the result of `step`, or None.

    space: the environment's observation space; without: keys of a Dict observation that are not looked at
    """
    if not isinstance(result, tuple):
        return Problem(f"returned {_a(result)}", _STEP)
    if len(result) != 5:
        return Problem(f"returned {len(result)} values", _STEP)
    observation, reward, terminated, truncated, info = result
    if problem := observation_problem(observation, space, without=without):
        return _returned(problem)
    if problem := reward_problem(reward):
        return _returned(problem)
    for name, flag in (("terminated", terminated), ("truncated", truncated)):
        if np.shape(flag) != () or not (isinstance(flag, bool | np.bool_) or flag in (0, 1)):
            return Problem(f"returned {_shown(flag)} as {name}", "it must be True or False")
    return _info_problem(info)


def reset_problem(result: Any, space: spaces.Space[Any], *, without: Collection[str] = ()) -> Problem | None:
    """Return what is wrong with the result of `reset`, or None."""
    if not isinstance(result, tuple):
        return Problem(f"returned {_a(result)}", _RESET)
    if len(result) != 2:
        return Problem(f"returned {len(result)} values", _RESET)
    if problem := observation_problem(result[0], space, without=without):
        return _returned(problem)
    return _info_problem(result[1])


def signature_problem(function: Any, name: str) -> Problem | None:
    """Return why Gymnasium's call of `reset` or `step` does not fit the function's parameters, or None."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # C code says nothing
        return None
    if name == "step":
        try:
            signature.bind(0)
        except TypeError:
            return Problem(f"takes {signature}", "Gymnasium calls step(action)")
        return None
    for keyword in ("seed", "options"):
        try:
            signature.bind(**{keyword: None})
        except TypeError:
            return Problem(f"does not take {keyword}", "write def reset(self, *, seed=None, options=None)")
    return None


def reward_problem(reward: Any) -> Problem | None:
    """Return why a reward cannot be used, as `the reward …`; None for a finite number."""
    if (problem := number_problem(reward)) is not None:
        return problem
    return None if math.isfinite(reward) else Problem(f"the reward {float(reward)}", "rewards must be finite")


def number_problem(reward: Any) -> Problem | None:
    """Return why a reward is no number; None if it is one, finite or not."""
    if reward is None:
        return Problem("the reward None", "return a number")
    if not isinstance(reward, str) and np.shape(reward) == ():
        try:
            float(reward)
        except (TypeError, ValueError):
            pass
        else:
            return None
    return Problem(f"the reward {_shown(reward)}, {_a(reward)}", "return a number, such as float(reward)")


def observation_problem(
    observation: Any, space: spaces.Space[Any], *, name: str = "an observation", without: Collection[str] = ()
) -> Problem | None:
    """Return why an observation does not belong to its space, or None.

    Lists of numbers count as arrays. Additional keys of a Dict observation are ignored.
    """
    if observation is None:
        return Problem(f"None as {name}", f"return one of the space {space}")
    if isinstance(space, spaces.Dict):
        if not isinstance(observation, Mapping):
            return Problem(f"{_a(observation)} as {name}", "its space is a Dict: return a dict")
        for key, part in space.spaces.items():
            if key in without:
                continue
            if key not in observation:
                return Problem(f"{name} without the key {key!r}", "return every key of its space")
            if problem := observation_problem(observation[key], part, name=f"{_part(name)}[{key!r}]"):
                return problem
        return None
    if isinstance(space, spaces.Tuple):
        if not isinstance(observation, tuple | list) or len(observation) != len(space.spaces):
            return Problem(f"{_a(observation)} as {name}", f"return a tuple of {len(space.spaces)} values")
        parts = (
            observation_problem(each, part, name=f"{_part(name)}[{index}]")
            for index, (each, part) in enumerate(zip(observation, space.spaces, strict=True))
        )
        return next((problem for problem in parts if problem), None)
    if isinstance(space, spaces.Box):
        return _box_problem(observation, space, name)
    if not space.contains(observation):
        return Problem(f"{_shown(observation)} as {name}", f"it must belong to its space {space}")
    return None


def _box_problem(observation: Any, space: spaces.Box, name: str) -> Problem | None:
    try:
        values = observation if isinstance(observation, np.ndarray) else np.asarray(observation, space.dtype)
    except (TypeError, ValueError):
        return Problem(f"{_a(observation)} as {name}", f"return an array of shape {space.shape}")
    if values.shape != space.shape:
        return Problem(f"{name} of shape {values.shape}", f"its space has the shape {space.shape}")
    if values.dtype.kind not in "biuf":
        return Problem(f"{name} of dtype {values.dtype}", f"its space has the dtype {space.dtype}")
    if not np.isfinite(values).all():
        return Problem(f"{name} that is NaN or infinite", "every value must be finite")
    if not np.can_cast(values.dtype, space.dtype):
        return Problem(
            f"{name} of dtype {values.dtype}",
            f"its space has the dtype {space.dtype}: return observation.astype(np.{space.dtype})",
        )
    outside = (values < space.low) | (values > space.high)
    if outside.any():
        index = tuple(int(each[0]) for each in np.nonzero(outside)) if values.ndim else ()
        low, high = space.low[index], space.high[index]
        place = "" if len(index) == 0 else f" at index {index[0] if len(index) == 1 else index}"
        return Problem(
            f"{name} with {values[index]}{place}, outside its observation space ({low} to {high})",
            "widen the bounds of the space, or clip the observation",
        )
    return None


def _part(name: str) -> str:
    return name.removeprefix("an ")


def _info_problem(info: Any) -> Problem | None:
    return None if isinstance(info, dict) else Problem(f"returned {_a(info)} as info", "it must be a dict")


def _returned(problem: Problem) -> Problem:
    return Problem(f"returned {problem.what}", problem.cure)


def _a(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' or name == 'ndarray' else 'a'} {name}"


def _shown(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) < 100 else f"{text[:100]}…"
