"""What held-out seeds say of the pick of a race. The race's own scores are not used: the best of many is lucky."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean

from scipy import special

MOST_RIVALS = 3
"""Contenders that the held-out seeds may have to exclude; with more, the race has not narrowed the choice down."""

TINY = 1e-18
"""Least variance of a mean, so that equal scores divide by no zero."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rival:
    """A contender beside the pick.

    mean: of its held-out seeds
    p_value: of "the pick is not better", one-sided Welch's t, by Holm's correction over the rivals
    """

    mean: float
    p_value: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirmation:
    """What the held-out seeds show.

    estimate: mean score of the pick; low, high: its two-sided Student's t interval at the confidence asked
    rivals: in the order given
    is_winner: the pick is told from every one of them
    """

    estimate: float
    low: float
    high: float
    rivals: tuple[Rival, ...]
    is_winner: bool


def confirm(
    pick: Sequence[float],
    rivals: Sequence[Sequence[float]],
    *,
    has_more_contenders: bool = False,
    confidence: float = 0.95,
) -> Confirmation:
    """Judge the pick by scores on held-out seeds, at least two of the pick and of each rival.

    has_more_contenders: the race left contenders that are not among the rivals; then no winner is named. Where it left
    none at all, the race has named the winner already, and there is nothing to tell it from.
    """
    mean = fmean(pick)
    half = special.stdtrit(len(pick) - 1, (1 + confidence) / 2) * sqrt(_variance(pick) / len(pick))
    adjusted = _holm([welch_p_value(pick, rival) for rival in rivals])
    is_told_apart = all(p_value <= (1 - confidence) / 2 for p_value in adjusted)
    return Confirmation(
        estimate=mean,
        low=float(mean - half),
        high=float(mean + half),
        rivals=tuple(Rival(mean=fmean(scores), p_value=p) for scores, p in zip(rivals, adjusted, strict=True)),
        is_winner=is_told_apart and not has_more_contenders and len(rivals) <= MOST_RIVALS,
    )


def welch_p_value(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Of "ours is not better": one-sided t test with unequal variances (Welch 1947, Biometrika 34)."""
    one, two = _variance(ours) / len(ours), _variance(theirs) / len(theirs)
    error = max(one + two, TINY)
    freedom = error**2 / max(one**2 / (len(ours) - 1) + two**2 / (len(theirs) - 1), TINY**2)
    return float(special.stdtr(freedom, -(fmean(ours) - fmean(theirs)) / sqrt(error)))


def _variance(scores: Sequence[float]) -> float:
    middle = fmean(scores)
    return sum((score - middle) ** 2 for score in scores) / (len(scores) - 1)


def _holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values (Holm 1979, Scandinavian Journal of Statistics 6)."""
    adjusted, largest = [1.0] * len(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        largest = max(largest, min(1.0, p_values[index] * (len(p_values) - place)))
        adjusted[index] = largest
    return adjusted
