"""Values that may follow a schedule during training, in rl-zoo's notation: `linear_3.0e-4`."""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag

from rlsweep.config.stepped import value_at

_LINEAR = re.compile(r"linear_(?P<initial>.+)")


def _canonical(value: str) -> str:
    """Check a schedule's notation and normalise its number, so that equal configs have equal hashes."""
    match = _LINEAR.fullmatch(value)
    if match is None:
        as_number = "; remove the quotes around the number" if _is_number(value) else ""
        raise ValueError(f"must be a number or a schedule such as linear_3.0e-4, got {value!r}{as_number}")
    if not _is_number(match["initial"]):
        raise ValueError(f"{match['initial']!r} is not a number; write a schedule as linear_3.0e-4")
    initial = float(match["initial"])
    if not (math.isfinite(initial) and initial > 0):
        raise ValueError(f"the initial value of a linear schedule must be positive and finite, got {value!r}")
    return f"linear_{initial!r}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _form(value: Any) -> str:
    return "<schedule>" if isinstance(value, str) else "<number>"


Scheduled = Annotated[
    Annotated[float, Field(gt=0), Tag("<number>")] | Annotated[str, AfterValidator(_canonical), Tag("<schedule>")],
    Discriminator(_form),
]
"""A positive number, or `linear_X`: X at the start of training, falling to 0 at its end."""


def initial_value(value: float | str | Mapping[str, float | str]) -> float:
    """The value at the start of training."""
    first: float | str = value_at(value, 0)
    return float(first.removeprefix("linear_")) if isinstance(first, str) else first
