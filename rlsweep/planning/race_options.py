"""What a race is asked for, as a user gives it, and what is made of that."""

import math
from dataclasses import dataclass

from rlsweep.analysis.objectives import Objective
from rlsweep.deciding.records import Tolerance
from rlsweep.errors import InputError
from rlsweep.race_records import SEEDS_OF_GRID, Statistic


@dataclass(frozen=True, kw_only=True, slots=True)
class RaceOptions:
    """What a race is asked for, as a user gives it; None takes the default, of a race on record its own.

    tolerance: a difference that does not matter, as a number in the objective's unit, or as a percentage of the way
        from the starting level to the best config, such as "10%"
    confidence: above 0.5, below 1
    cap: share of the env steps of every config with five seeds, such as 0.5 or "1/2"
    max_hours: of one drive
    objective: one of `Objective`
    over_seeds: mean or median
    """

    tolerance: str | float | None = None
    confidence: float | None = None
    cap: str | float | None = None
    max_hours: float | None = None
    objective: str | None = None
    over_seeds: str | None = None


DEFAULT_CONFIDENCE = 0.95
DEFAULT_CAP = "1/2"
DEFAULT_OBJECTIVE = Objective.EVALUATION_REWARD
DEFAULT_STATISTIC = Statistic.MEAN


def read_tolerance(given: str | float) -> Tolerance:
    """A tolerance as a user gives it. Raises InputError unless it is a positive number or percentage."""
    text = str(given).strip()
    is_share = text.endswith("%")
    value = _number(text.removesuffix("%"))
    if value is None or value <= 0:
        raise InputError(
            f"--tolerance {text}: give a positive number in the objective's unit, such as 0.03, or a percentage of the "
            "way from the start to the best config, such as 10%."
        )
    if is_share and value >= 100:
        raise InputError(f"--tolerance {text}: every config is within that. Give less than 100%, such as 10%.")
    return Tolerance(value=value / 100 if is_share else value, is_share=is_share)


def read_confidence(given: float) -> float:
    """A confidence. Raises InputError unless it is above 0.5 and below 1."""
    if not 0.5 < given < 1:
        raise InputError(f"--confidence {given:g}: give a number above 0.5 and below 1, such as 0.95.")
    return given


def read_cap(given: str | float) -> float:
    """A cap as a share, or as a fraction such as 1/2. Raises InputError if it is below one run a config."""
    text = str(given).strip()
    above, slash, below = text.partition("/")
    parts = (_number(above), _number(below) if slash else 1.0)
    if parts[0] is None or not parts[1] or (cap := parts[0] / parts[1]) <= 0:
        raise InputError(f"--cap {text}: give a share of every config with {SEEDS_OF_GRID} seeds, such as 1/2 or 0.5.")
    if cap * SEEDS_OF_GRID < 1 - 1e-9:
        raise InputError(
            f"--cap {text}: that is less than one run of each config. Give 1/{SEEDS_OF_GRID} or more, or fewer configs."
        )
    return cap


def read_max_hours(given: float | None) -> float | None:
    """The longest time of a drive. Raises InputError unless it is positive."""
    if given is not None and not 0 < given < math.inf:
        raise InputError(f"--max-hours {given:g}: give a positive number of hours, such as 2.5.")
    return given


def read_objective(given: str | None) -> Objective:
    """An objective by its name; dashes stand for underscores. Raises InputError."""
    try:
        return Objective(str(given).replace("-", "_"))
    except ValueError:
        raise InputError(f"--objective {given}: give one of {', '.join(each.value for each in Objective)}.") from None


def read_statistic(given: str | None) -> Statistic:
    """How seeds are summarised. Raises InputError."""
    try:
        return Statistic(str(given))
    except ValueError:
        raise InputError(f"--over-seeds {given}: give one of {', '.join(each.value for each in Statistic)}.") from None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return None if math.isinf(value) or math.isnan(value) else value
