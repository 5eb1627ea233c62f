"""Numbers as people read them."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from rlsweep.config.stepped import in_words, is_stepped


class _Limits(Protocol):
    @property
    def episodes(self) -> int | None: ...

    @property
    def total_timesteps(self) -> int | None: ...


def number(value: float) -> str:
    """Three significant digits, whole numbers in full with thousands marked: 0.42, 187, 19,456, 1.2e-05."""
    if not math.isfinite(value):
        return "not finite"
    size = abs(value)
    if size >= 1_000:
        return f"{value:,.0f}"
    if 0 < size < 0.0005:
        return f"{value:.1e}"
    digits = 3 if size < 0.1 else 2 if size < 10 else 1 if size < 100 else 0
    text = f"{value:.{digits}f}"
    trimmed = text.rstrip("0").rstrip(".") if digits == 3 or digits == 1 else text
    return "0" if trimmed in ("-0", "-0.00") else trimmed


def signed(value: float) -> str:
    """The same, with its sign: +0.42."""
    text = number(value)
    return text if text.startswith("-") or value == 0 else f"+{text}"


def percent(share: float) -> str:
    """A share of one as a whole percentage: 78%."""
    return f"{share:.0%}"


def fine_percent(share: float) -> str:
    """A share of one as a percentage, below 10% with one decimal: 5.2%, 24%."""
    return f"{share:.1%}" if 0 < share < 0.0995 else f"{share:.0%}"


def duration(seconds: float) -> str:
    """`42 s`, `3 min 20 s`, `2 h 5 min`, `2 d 3 h`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, second = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {second} s" if second else f"{minutes} min"
    hours, minute = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minute} min" if minute else f"{hours} h"
    days, hour = divmod(hours, 24)
    return f"{days} d {hour} h" if hour else f"{days} d"


def of_seeds(count: int, seeds: int) -> str:
    """`1 of 3 seeds`, or `the only seed`."""
    return "the only seed" if seeds == 1 else f"{count} of {seeds} seeds"


def plural(count: int, noun: str) -> str:
    """`1 seed`, `3 seeds`, `2,048 episodes`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def hyperparameter(value: Any, write: Callable[[Any], str] = str) -> str:
    """A hyperparameter's value; one that changes while a run trains as `0.0003 → 0.00024 (40,960)`."""
    return in_words(value, write) if is_stepped(value) else write(value)


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def limits(budget: _Limits) -> str:
    """`40 episodes`, `10,000 env steps`, or both: `40 episodes or 10,000 env steps`."""
    counts = ((budget.episodes, "episode"), (budget.total_timesteps, "env step"))
    return " or ".join(plural(count, noun) for count, noun in counts if count)


def labelled(facts: Mapping[str, str]) -> list[str]:
    """Facts as sentences, such as `Action masks: key action_mask of info.` for the key `action_masks`."""
    return [f"{key.replace('_', ' ').capitalize()}: {value}." for key, value in facts.items()]
