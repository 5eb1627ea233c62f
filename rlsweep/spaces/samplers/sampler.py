"""What a sampler is, and the coordinates in which it draws."""

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

    def tell(self, values: Values, score: float) -> None:
        """Take notice of what a config with these values scored; greater is better."""


def coordinates(space: SearchSpace) -> "dict[str, BaseDistribution]":
    """Optuna's distribution of each coordinate: a value, the number of a step or choice, or whether it is the extra.

    They are in the order of the keys' names, so that the order of a file does not change what is drawn.
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
            found[_extra(dimension)] = CategoricalDistribution(range(EXTRA_SHARE))
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


def _extra(dimension: Dimension) -> str:
    return f"{dimension.key} or"
