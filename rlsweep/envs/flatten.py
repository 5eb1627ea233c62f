"""Flatten observations of any space into one float32 vector."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rlsweep.errors import EnvironmentSpecError

MASK_KEY = "action_mask"
"""Key of the action mask in a Dict observation or an info dict (PettingZoo's and Gymnasium's convention)."""


class Flattener:
    """Turns observations of one space into float32 vectors; entries of a Dict are concatenated.

    keys: the entries of a Dict space to use, in this order; None takes all except the mask, in the space's order.
    mask_key: a key of the mask, besides `action_mask`.
    A Box is laid out in C order, every other space as `gymnasium.spaces.flatten` does (a Discrete becomes one-hot).
    Raises EnvironmentSpecError if the space lacks one of the keys or no entry is left.
    """

    box: spaces.Box[np.float32]
    """Space of the vectors: shape (n,), float32."""

    def __init__(
        self, space: spaces.Space[Any], keys: tuple[str, ...] | None, env_id: str, *, mask_key: str | None = None
    ) -> None:
        parts = _parts(space, keys, env_id, mask_key)
        flat = _flat_boxes(parts, env_id)
        self._parts: list[tuple[str | None, int, int, spaces.Space[Any] | None]] = []
        start = 0
        for (key, part), box in zip(parts, flat, strict=True):
            stop = start + box.shape[0]
            self._parts.append((key, start, stop, None if isinstance(part, spaces.Box) else part))
            start = stop
        self.box = spaces.Box(
            np.concatenate([box.low for box in flat]).astype(np.float32),
            np.concatenate([box.high for box in flat]).astype(np.float32),
            dtype=np.float32,
        )
        self._size = start

    def __call__(self, observation: Any) -> NDArray[np.float32]:
        """A new vector, shape (n,)."""
        vector = np.empty(self._size, np.float32)
        for key, start, stop, space in self._parts:
            value = observation if key is None else observation[key]
            vector[start:stop] = np.ravel(value if space is None else _as_array(space, value))
        return vector


def _parts(
    space: spaces.Space[Any], keys: tuple[str, ...] | None, env_id: str, mask_key: str | None
) -> list[tuple[str | None, spaces.Space[Any]]]:
    """The spaces to flatten, with their keys (None for the whole observation)."""
    if not isinstance(space, spaces.Dict):
        if keys is not None:
            raise EnvironmentSpecError(
                f"Environment {env_id!r}: observation_keys is set, but its observation is a "
                f"{type(space).__name__}, which has no keys; remove observation_keys."
            )
        return [(None, space)]
    known = [key for key in space.spaces if key not in (MASK_KEY, mask_key)]
    chosen = known if keys is None else keys
    unknown = [key for key in chosen if key not in known]
    if unknown or not chosen:
        what = f"has no observation key {unknown[0]!r}" if unknown else "has no observation left"
        raise EnvironmentSpecError(
            f"Environment {env_id!r} {what}; its observation keys are {', '.join(known) or 'none'}."
        )
    return [(key, space.spaces[key]) for key in chosen]


def _flat_boxes(parts: Sequence[tuple[str | None, spaces.Space[Any]]], env_id: str) -> list[spaces.Box]:
    """Each space as a vector. Raises EnvironmentSpecError, which names the usable keys, if one cannot be flattened."""
    flat = [_flat_box(part) for _, part in parts]
    for (_, part), box in zip(parts, flat, strict=True):
        if box is None:
            usable = [str(key) for (key, _), found in zip(parts, flat, strict=True) if found is not None]
            way_out = f"with environment.observation_keys: [{', '.join(usable)}]" if usable else "with observation_keys"
            raise EnvironmentSpecError(
                f"Environment {env_id!r}: a {type(part).__name__} observation has no fixed number of values; "
                f"exclude it {way_out}."
            )
    return [box for box in flat if box is not None]


def _flat_box(space: spaces.Space[Any]) -> spaces.Box | None:
    try:
        flat = spaces.flatten_space(space) if space.is_np_flattenable else None
    except NotImplementedError:  # a space of the environment's own, such as MiniGrid's MissionSpace
        return None
    return flat if isinstance(flat, spaces.Box) else None


def _as_array(space: spaces.Space[Any], value: Any) -> NDArray[Any]:
    return np.asarray(spaces.flatten(space, value))
