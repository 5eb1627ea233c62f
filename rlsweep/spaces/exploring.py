"""Change values of a search space a little: what population-based training does to a config that it copies."""

import math
from collections.abc import Mapping
from random import Random
from typing import Any

from rlsweep.spaces.dimensions import Dimension, Kind
from rlsweep.spaces.samplers.sampler import EXTRA_SHARE
from rlsweep.spaces.space import SearchSpace

FACTORS = (0.8, 1.2)
"""By which a number is multiplied."""

_MOST_TRIES = 100
"""Draws that break a constraint before the values stay as they are."""


def explored(
    space: SearchSpace, base: Mapping[str, Any], values: Mapping[str, Any], *, seed: int, resampled: float
) -> dict[str, Any]:
    """New values of the space's keys, which fulfil its constraints; those that were given if no draw does.

    base: the base config's values by dotted key, and those of the training config that conditions look at
    values: of all keys of the space, as they are
    resampled: probability that a key is drawn anew

    A number is multiplied by 0.8 or 1.2, within its range and rounded as the space's draws are; a choice moves to a
    neighbour. A value that is not in the space, as a base config may have, is drawn anew. A key whose `when` does not
    hold with the new values has the base's value. Raises ValueError where a condition cannot be computed.
    """
    draws = Random(seed)
    for _ in range(_MOST_TRIES):
        drawn = {each.key: _new_value(each, values[each.key], draws, resampled) for each in space.dimensions}
        found = space.effective(drawn, base)
        if all(constraint.holds(found) for constraint in space.constraints):
            return {key: found[key] for key in space.keys}
    return {key: values[key] for key in space.keys}


def _new_value(dimension: Dimension, value: Any, draws: Random, resampled: float) -> Any:
    is_anew = draws.random() < resampled
    if is_anew or not _is_in(dimension, value):
        return _anew(dimension, draws)
    listed = dimension.choices or (dimension.listed if dimension.step is not None else None)
    if listed:
        ordered = listed[: len(listed) - len(dimension.extra)]
        return ordered[_neighbour(ordered.index(value), len(ordered), draws)]
    return _multiplied(dimension, value, draws.choice(FACTORS))


def _is_in(dimension: Dimension, value: Any) -> bool:
    """Whether the value is one of a choice, or in the range; the extra value beside a range is not."""
    if dimension.kind is Kind.CHOICE:
        return value in dimension.choices
    if isinstance(value, bool) or not isinstance(value, int | float) or not dimension.low <= value <= dimension.high:
        return False
    return dimension.step is None or value in (dimension.listed or ())


def _neighbour(place: int, count: int, draws: Random) -> int:
    others = [each for each in (place - 1, place + 1) if 0 <= each < count]
    return draws.choice(others) if others else place


def _multiplied(dimension: Dimension, value: float, factor: float) -> float:
    """The product within the range; a whole number changes by one at least."""
    product = value * factor
    if dimension.kind.is_whole and round(product) == value:
        product = value + math.copysign(1, product - value) if product != value else value
    return dimension.rounded(min(max(product, dimension.low), dimension.high))


def _anew(dimension: Dimension, draws: Random) -> Any:
    """A draw of the whole range or choice, as the random sampler makes it."""
    if dimension.extra and draws.randrange(EXTRA_SHARE) == 0:
        return dimension.extra[0]
    if dimension.kind is Kind.CHOICE:
        return draws.choice(dimension.choices)
    if dimension.step is not None:
        return dimension.at_step(draws.randint(0, dimension.steps))
    low, high = dimension.low, dimension.high
    if dimension.kind.is_log:
        return dimension.rounded(min(max(math.exp(draws.uniform(math.log(low), math.log(high))), low), high))
    return (
        draws.randint(int(low), int(high)) if dimension.kind.is_whole else dimension.rounded(draws.uniform(low, high))
    )
