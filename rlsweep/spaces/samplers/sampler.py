"""What a sampler is, and the coordinates in which it draws."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from rlsweep.spaces.dimensions import Dimension, Kind
from rlsweep.spaces.space import SearchSpace

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

EXTRA_SHARE = 4
"""One draw of so many is the extra value beside a range."""

Values = Mapping[str, Any]
"""What is drawn: a value for each dotted key of the space, those of inactive keys too."""


class Sampler(Protocol):
    """Draws configs of a search space. Two that were made of the same space and told the same draw the same."""

    def ask(self) -> Values | None:
        """The next draw; None if everything has been drawn."""

    def tell(self, values: Values, score: float | None) -> None:
        """Take notice of a config and what it scored; greater is better, None: it trains, and has no score yet.

        values: by dotted key, of the keys that were drawn; one of a config that was not drawn may lie outside its range
        """


def coordinates(space: SearchSpace, *, extra_share: int = EXTRA_SHARE) -> "dict[str, BaseDistribution]":
    """Optuna's distribution of each coordinate: a value, the number of a step or choice, or whether it is the extra.

    They are in the order of the keys' names, so that the order of a file does not change what is drawn.
    extra_share: so many values has the coordinate that says whether the extra is drawn, of which 0 does
    """
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, BaseDistribution] = {}
    for dimension in sorted(space.dimensions, key=lambda each: each.key):
        low, high, is_log = dimension.low, dimension.high, dimension.kind.is_log
        if dimension.kind is Kind.CHOICE:
            found[dimension.key] = CategoricalDistribution(range(len(dimension.choices)))
        elif dimension.step is not None:
            found[dimension.key] = IntDistribution(0, dimension.steps)
        elif dimension.kind.is_whole:
            found[dimension.key] = IntDistribution(int(low), int(high), log=is_log)
        else:
            found[dimension.key] = FloatDistribution(low, high, log=is_log)
        if dimension.extra:
            found[_extra(dimension)] = CategoricalDistribution(range(extra_share))
    return found


def values_at(space: SearchSpace, point: Mapping[str, Any]) -> Values:
    """The values of a point that was drawn in `coordinates`."""
    return {dimension.key: _value_at(dimension, point) for dimension in space.dimensions}


def _value_at(dimension: Dimension, point: Mapping[str, Any]) -> Any:
    if dimension.extra and point[_extra(dimension)] == 0:
        return dimension.extra[0]
    at = point[dimension.key]
    if dimension.kind is Kind.CHOICE:
        return dimension.choices[at]
    return dimension.rounded(at) if dimension.step is None else dimension.at_step(at)


def point_of(space: SearchSpace, values: Values) -> dict[str, Any]:
    """The coordinates of values, without those of keys that have none or one outside their range."""
    point: dict[str, Any] = {}
    for dimension in space.dimensions:
        if dimension.key not in values:
            continue
        value = values[dimension.key]
        is_extra = bool(dimension.extra) and is_same(value, dimension.extra[0])
        at = None if is_extra else _coordinate_of(dimension, value)
        if dimension.extra and (is_extra or at is not None):
            point[_extra(dimension)] = 0 if is_extra else 1
        if at is not None:
            point[dimension.key] = at
    return point


def _coordinate_of(dimension: Dimension, value: Any) -> float | int | None:
    if dimension.kind is Kind.CHOICE:
        return next((number for number, each in enumerate(dimension.choices) if is_same(each, value)), None)
    if isinstance(value, bool) or not isinstance(value, int | float) or not dimension.low <= value <= dimension.high:
        return None
    if dimension.step is not None:
        number = round((value - dimension.low) / dimension.step)
        return number if is_same(dimension.at_step(number), value) else None
    if dimension.kind.is_whole:
        return int(value) if float(value).is_integer() else None
    return float(value)


def is_same(one: Any, other: Any) -> bool:
    """Whether two values of a config are the same one: 1 and 1.0 are, and so are a list and a tuple."""
    return plain(one) == plain(other)


def plain(value: Any) -> str:
    """A value as text, in which 1 and 1.0 are the same."""
    return json.dumps(json.loads(json.dumps(value), parse_int=float), sort_keys=True)


def _extra(dimension: Dimension) -> str:
    return f"{dimension.key} or"
