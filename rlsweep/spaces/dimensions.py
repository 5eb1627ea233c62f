"""What one key of a search space may be: a range or a choice, how a draw becomes a value, and the values of a grid."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from rlsweep.spaces.expressions import Condition

_RESOLUTION = 40
"""A range is rounded to at least so many different values, with as few digits as that takes."""

_LEAST = 1e-15
"""Ends of a range of logarithms that are nearer have no number between them."""


class Kind(StrEnum):
    """How a key is drawn."""

    UNIFORM = "uniform"
    LOG = "log"
    INTEGER = "integer"
    LOG_INTEGER = "log_integer"
    CHOICE = "choice"

    @property
    def is_log(self) -> bool:
        """Whether the logarithm is drawn uniformly."""
        return self in (Kind.LOG, Kind.LOG_INTEGER)

    @property
    def is_whole(self) -> bool:
        """Whether values are whole numbers."""
        return self in (Kind.INTEGER, Kind.LOG_INTEGER)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dimension:
    """One key of a search space.

    low, high: ends of a range, both included; 0 for a choice
    step: values lie at low + k × step; None for any value
    choices: of a choice
    extra: one value beside the range, or none
    when: the key is drawn where this holds; else the base config's value stands
    """

    key: str
    kind: Kind
    low: float = 0
    high: float = 0
    step: float | None = None
    choices: tuple[Any, ...] = ()
    extra: tuple[Any, ...] = ()
    when: Condition | None = None

    @property
    def steps(self) -> int:
        """Number of the last value of a range with steps; the first is number 0."""
        assert self.step is not None
        return int((Decimal(str(self.high)) - Decimal(str(self.low))) / Decimal(str(self.step)))

    @property
    def listed(self) -> tuple[Any, ...] | None:
        """All values, the extra one last; None if a range has no steps."""
        if self.kind is Kind.CHOICE:
            return self.choices
        if self.step is not None:
            return (*map(self.at_step, range(self.steps + 1)), *self.extra)
        if self.kind is Kind.INTEGER:
            return (*range(int(self.low), int(self.high) + 1), *self.extra)
        return None

    @property
    def count(self) -> int | None:
        """Number of all values; None if a range has no steps. Cheap for any range."""
        if self.kind is Kind.CHOICE:
            return len(self.choices)
        if self.step is not None:
            return self.steps + 1 + len(self.extra)
        return None if self.kind is not Kind.INTEGER else int(self.high) - int(self.low) + 1 + len(self.extra)

    def at_step(self, number: int) -> float:
        """The value of a step, without the noise of adding up floats."""
        assert self.step is not None
        value = Decimal(str(self.low)) + number * Decimal(str(self.step))
        return int(value) if self.kind.is_whole else float(value)

    def rounded(self, drawn: float) -> float:
        """A drawn value of a range with as few digits as tell values apart, inside the range."""
        if self.kind.is_whole:
            return round(drawn)
        if self.kind.is_log:
            least = max(math.log(self.high) - math.log(self.low), _LEAST) / _RESOLUTION
            digits = max(2, 1 + math.ceil(-math.log10(least)))
            value = float(f"{drawn:.{digits - 1}e}")
        else:
            least = (self.high - self.low) / _RESOLUTION
            value = round(drawn, max(0, math.ceil(-math.log10(least))))
        return float(min(max(value, self.low), self.high))

    def spread(self, count: int = 4) -> tuple[float, ...]:
        """Some values of a range at equal distances, to offer where a list is needed."""
        shares = [number / (count - 1) for number in range(count)]
        if self.kind.is_log:
            return tuple(dict.fromkeys(self.rounded(self.low * (self.high / self.low) ** share) for share in shares))
        return tuple(dict.fromkeys(self.rounded(self.low + (self.high - self.low) * share) for share in shares))

    def as_data(self) -> dict[str, Any]:
        """The entry as a file has it."""
        ends = list(self.choices) if self.kind is Kind.CHOICE else [self.low, self.high]
        data: dict[str, Any] = {self.kind.value: ends}
        if self.step is not None:
            data["step"] = self.step
        if self.extra:
            data["or"] = self.extra[0]
        if self.when is not None:
            data["when"] = self.when.text
        return data


def probes(dimension: Dimension) -> Sequence[Any]:
    """Values that a config must accept if it is to accept all: every choice, or both ends of a range."""
    return dimension.choices or (dimension.low, dimension.high, *dimension.extra)


def inside(dimension: Dimension) -> float:
    """A value of a range, of a step where it has one, that is a whole number only if all are."""
    if dimension.step is not None:
        return dimension.at_step(1)
    whole = dimension.kind.is_whole
    return dimension.high if whole else dimension.low + (dimension.high - dimension.low) * 0.4142135623730951
