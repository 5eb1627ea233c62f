"""One parameter of another tool → a fixed value, or an entry of our `space`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rlsweep.config.problems import shown

_NO_ENDS = ("normal", "q_normal", "log_normal", "q_log_normal", "inv_log_normal", "beta", "q_beta")
_LARGEST_EXPONENT = 27  # exp(27) is near the largest end of a range


@dataclass(frozen=True, slots=True)
class Entry:
    """Either a value that is the same in every config, or an entry of `space`; `note` says what it does not keep."""

    fixed: Any = None
    drawn: dict[str, Any] | None = None
    note: str | None = None


def wandb_entry(given: Any) -> Entry:
    """A parameter of a W&B sweep. Raises ValueError with the reason where it cannot be written here."""
    if not isinstance(given, Mapping):
        raise ValueError(f"must be a mapping, got {shown(given)}")
    if "value" in given:
        return Entry(fixed=given["value"])
    if isinstance(given.get("values"), list) and given["values"]:
        note = "values are drawn alike, without `probabilities`" if "probabilities" in given else None
        return _choice(given["values"], note)
    name = given.get("distribution")
    if name in _NO_ENDS:
        raise ValueError(f"{name} has no ends; write a range such as {{uniform: [LOW, HIGH]}}")
    low, high = _ends(given, "min", "max")
    step = given.get("q")
    match name:
        case None | "uniform" | "int_uniform" if name != "uniform" and _are_whole(low, high):
            return Entry(drawn={"integer": [low, high]})
        case None | "uniform":
            return Entry(drawn={"uniform": [low, high]})
        case "q_uniform":
            return _stepped(low, high, 1 if step is None else step)
        case "log_uniform_values" | "inv_log_uniform_values" | "q_log_uniform_values":
            return Entry(drawn={"log": [low, high]}, note=None if name[0] == "l" else f"{name} is written as log")
        case "log_uniform" | "inv_log_uniform" | "q_log_uniform":
            note = None if name[0] == "l" else f"{name} is written as log"
            return Entry(drawn={"log": [_exponential(low), _exponential(high)]}, note=note)
    raise ValueError(f"its distribution {shown(name)} has no counterpart")


def optuna_entry(given: Any) -> Entry:
    """A distribution of Optuna: as its JSON has it, or as `{type: float, low: …, high: …, log: true}`.

    Raises ValueError with the reason where it cannot be written here.
    """
    if not isinstance(given, Mapping):
        return Entry(fixed=given)
    attributes = given.get("attributes")
    plain = {**given, **attributes} if isinstance(attributes, Mapping) else dict(given)
    kind = str(plain.get("type", plain.get("name", ""))).lower().removesuffix("distribution")
    choices = plain.get("choices", plain.get("values"))
    if isinstance(choices, list) and choices:
        return _choice(choices, None)
    low, high = _ends(plain, "low", "high")
    step = plain.get("step", plain.get("q"))
    is_log = plain.get("log") is True or "log" in kind
    is_whole = "int" in kind or (not kind and _are_whole(low, high))
    if is_log:
        note = None if step in (None, 1) else "a log range has no step here"
        return Entry(drawn={"log_integer" if is_whole else "log": [low, high]}, note=note)
    if step is not None and not (is_whole and step == 1):
        return _stepped(low, high, step)
    return Entry(drawn={"integer" if is_whole else "uniform": [low, high]})


def _choice(values: list[Any], note: str | None) -> Entry:
    return Entry(fixed=values[0], note=note) if len(values) == 1 else Entry(drawn={"choice": values}, note=note)


def _stepped(low: Any, high: Any, step: Any) -> Entry:
    return Entry(drawn={"integer" if _are_whole(low, high, step) else "uniform": [low, high], "step": step})


def _ends(given: Mapping[str, Any], low: str, high: str) -> tuple[Any, Any]:
    ends = given.get(low), given.get(high)
    if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends):
        raise ValueError(f"has neither values nor two numbers as {low} and {high}")
    return ends


def _are_whole(*numbers: Any) -> bool:
    return all(isinstance(number, int) for number in numbers)


def _exponential(exponent: float) -> float:
    """An end that W&B gives as an exponent of e, with three digits."""
    if abs(exponent) > _LARGEST_EXPONENT:
        raise ValueError(f"exp({exponent:g}) is beyond what a range may have")
    return float(f"{math.exp(exponent):.2e}")
