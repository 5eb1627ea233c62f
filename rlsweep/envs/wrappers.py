"""The user's wrappers around an environment, and stacked observations."""

from functools import partial
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.wrappers import FrameStackObservation, TransformObservation
from numpy.typing import NDArray

from rlsweep.config.training import EnvironmentSpec, WrapperSpec
from rlsweep.envs.flatten import MASK_KEY
from rlsweep.envs.importing import find_named
from rlsweep.envs.masks import METHOD, NO_MASKS, owner_of
from rlsweep.envs.user_code import USER_ERRORS, raised
from rlsweep.errors import EnvironmentSpecError

_OF_VECTORS = {"VecEnvWrapper", "VectorWrapper"}
"""Base classes of SB3's and Gymnasium's wrappers of several environments."""

_INSTEAD = {
    "VecNormalize": "write normalize_observations and normalize_rewards instead",
    "VecFrameStack": "write environment.frame_stack instead",
}


def with_wrappers(env: gym.Env[Any, Any], spec: EnvironmentSpec) -> gym.Env[Any, Any]:
    """Return `env` in the wrappers of `spec`: the first is the innermost.

    Raises EnvironmentSpecError if one is not found, fails, returns no Gymnasium Env, or changes masked actions without
    masks of its own.
    """
    if not spec.wrappers:
        return env
    env = _MaskInInfo(env, spec.mask or MASK_KEY)
    for index, wrapper in enumerate(spec.wrappers):
        where = f"Environment {spec.id!r}, wrappers[{index}]"
        outer = _wrapped(env, wrapper, where)
        if spec.mask != NO_MASKS:
            _check_masks_fit(env, outer, spec.mask or METHOD, f"{where}: {wrapper.id}")
        env = outer
    return env


def with_frames(env: gym.Env[Any, Any], count: int) -> gym.Env[Any, Any]:
    """Return `env` with its last `count` observations as one, the oldest first; a reset repeats its observation.

    Vectors become one vector of `count` × n values. Images are stacked along their channels, as in SB3's VecFrameStack;
    images without channels get one channel each. All other observations are stacked as Gymnasium does.
    """
    if count == 1:
        return env
    single = env.observation_space
    stacked = FrameStackObservation(env, count)
    axis = _joining_axis(single)
    if axis is None:
        return stacked
    box = stacked.observation_space
    assert isinstance(box, spaces.Box)
    space = spaces.Box(_joined(box.low, axis), _joined(box.high, axis), dtype=box.dtype)
    return TransformObservation(stacked, partial(_joined, axis=axis), space)


class _MaskInInfo(gym.Wrapper[Any, Any, Any, Any]):
    """Copies the action mask of a Dict observation into the info, where it survives wrappers of observations."""

    def __init__(self, env: gym.Env[Any, Any], key: str) -> None:
        super().__init__(env)
        self._key = key

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        observation, info = self.env.reset(seed=seed, options=options)
        return observation, self._with_mask(info, observation)

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, reward, terminated, truncated, self._with_mask(info, observation)

    def _with_mask(self, info: dict[str, Any], observation: Any) -> dict[str, Any]:
        if not isinstance(observation, dict) or self._key not in observation:
            return info
        return {**info, self._key: observation[self._key]}


def _wrapped(env: gym.Env[Any, Any], wrapper: WrapperSpec, where: str) -> gym.Env[Any, Any]:
    constructor = find_named(wrapper.id, where)
    if _OF_VECTORS & {base.__name__ for base in getattr(constructor, "__mro__", ())}:
        way_out = _INSTEAD.get(constructor.__name__, "take a wrapper of one environment")
        raise EnvironmentSpecError(f"{where}: {wrapper.id} wraps a vector of environments; {way_out}.")
    try:
        outer = constructor(env, **wrapper.kwargs)
    except USER_ERRORS as exc:
        raise EnvironmentSpecError(
            f"{where}: {wrapper.id} cannot wrap it with kwargs {wrapper.kwargs}: {raised(exc)}"
        ) from exc
    if not isinstance(outer, gym.Env):
        raise EnvironmentSpecError(
            f"{where}: {wrapper.id} returns a {type(outer).__name__}; a wrapper must return a Gymnasium Env."
        )
    return outer


def _check_masks_fit(env: gym.Env[Any, Any], outer: gym.Env[Any, Any], mask: str, where: str) -> None:
    """Raise EnvironmentSpecError if a wrapper changes the actions, but the method `mask` is still that of `env`."""
    owner = owner_of(env, mask)
    if owner is not None and owner_of(outer, mask) is owner and outer.action_space != env.action_space:
        raise EnvironmentSpecError(
            f"{where} changes the actions from {env.action_space} to {outer.action_space}, so the action masks no "
            f"longer fit; give it a method {mask}() for its own actions."
        )


def _joining_axis(space: spaces.Space[Any]) -> int | None:
    """The axis of one observation along which several are joined; None if they are only stacked."""
    if not isinstance(space, spaces.Box) or len(space.shape) not in (1, 3):
        return None
    # SB3 takes an image's smallest dimension for its channels, too
    return 0 if len(space.shape) == 1 or int(np.argmin(space.shape)) == 0 else 2


def _joined(stacked: NDArray[Any], axis: int) -> NDArray[Any]:
    """Join the observations (count, …) along their `axis`, as a new array."""
    return np.concatenate(list(stacked), axis=axis)
