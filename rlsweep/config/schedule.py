"""Values that may follow a schedule over training, in rl-zoo's notation: `linear_3.0e-4`."""

import math
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

_LINEAR = re.compile(r"linear_(?P<initial>.+)")


def _canonical(value: Any) -> Any:
    """Check a schedule's notation and write its number one way, so that equal configs hash equal."""
    if not isinstance(value, str):
        return value
    match = _LINEAR.fullmatch(value)
    if match is None:
        raise ValueError("must be a number, or 'linear_<initial value>' such as linear_3.0e-4")
    try:
        initial = float(match["initial"])
    except ValueError:
        raise ValueError(f"{match['initial']!r} is no number; write linear_3.0e-4") from None
    if not (math.isfinite(initial) and initial > 0):
        raise ValueError("the initial value of a linear schedule must be positive and finite")
    return f"linear_{initial!r}"


ScheduledValue = Annotated[Annotated[float, Field(gt=0)] | str, BeforeValidator(_canonical)]
"""A positive number, or `linear_X`: X at the start of training, falling to 0 at its end."""


def initial_value(value: float | str) -> float:
    """The value at the start of training."""
    return float(value.removeprefix("linear_")) if isinstance(value, str) else value


def value_at(value: float | str, progress_remaining: float) -> float:
    """The value when `progress_remaining` falls from 1 to 0, as SB3's schedules count."""
    return initial_value(value) * progress_remaining if isinstance(value, str) else value
