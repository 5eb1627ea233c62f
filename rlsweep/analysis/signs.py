"""Good signs and warnings of a short sweep, each with its figure."""

from collections.abc import Callable
from dataclasses import dataclass

from rlsweep.analysis.figures import ConfigFigures
from rlsweep.analysis.instability import fell_back, instabilities
from rlsweep.analysis.intervals import FEWEST_SEEDS
from rlsweep.analysis.scale import Scale
from rlsweep.analysis.trends import TENTHS, Direction
from rlsweep.analysis.wording import number, percent, signed

LOW_VARIANCE = 0.67
HIGH_VARIANCE = 1.5
"""Scatter of single episodes against the sweep's median, two thirds and its reciprocal. It is judged against the
other configs because each environment has a scatter of its own: an even game won or lost has an sd of one."""

CONSISTENT_SEEDS = 0.1
"""Standard deviation over seeds, as a share of the sweep's range of scores."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sign:
    """good: a good sign; otherwise a warning."""

    good: bool
    text: str


def signs(figures: ConfigFigures, scale: Scale, *, is_dead: bool) -> tuple[Sign, ...]:
    """All signs found, good ones first; a config that never left the starting level has no good ones."""
    found = [sign for look in _LOOKS for sign in look(figures, scale) if not (is_dead and sign.good)]
    return tuple(sorted(found, key=lambda sign: not sign.good))


def _trend(figures: ConfigFigures, scale: Scale) -> list[Sign]:
    trend = figures.trend
    if trend is None or trend.direction is Direction.FLAT:
        return []
    course = f"{signed(trend.change)} over the budget, up in {trend.rises} of {TENTHS - 1} steps between tenths"
    if trend.direction is Direction.RISING:
        if _is_small(figures, scale) or fell_back(figures):
            return []
        return [Sign(good=True, text=f"steady upward trend in rewards ({course})")]
    if figures.gain is not None and figures.gain.mean > 0:  # it rose at once and lost a part of that
        return []
    return [Sign(good=False, text=f"downward trend in rewards ({course})")]


def _episode_variance(figures: ConfigFigures, scale: Scale) -> list[Sign]:
    if figures.episode_sd is None or not scale.episode_sd:
        return []
    ratio = figures.episode_sd / scale.episode_sd
    course = (
        f"sd {number(figures.episode_sd)} in the last fifth, {number(ratio)} times the median config's "
        f"{number(scale.episode_sd)}"
    )
    if ratio <= LOW_VARIANCE:
        return [Sign(good=True, text=f"low variance between episodes ({course})")]
    if ratio >= HIGH_VARIANCE:
        return [Sign(good=False, text=f"high variance between episodes ({course})")]
    return []


def _consistency(figures: ConfigFigures, scale: Scale) -> list[Sign]:
    last = figures.last
    if last is None or last.sd is None or last.seeds < FEWEST_SEEDS or scale.score_range == 0:
        return []
    share = last.sd / scale.score_range
    if share > CONSISTENT_SEEDS:
        return []
    course = f"sd {number(last.sd)} over {last.seeds} seeds, {percent(share)} of the sweep's range of scores"
    return [Sign(good=True, text=f"consistent across seeds ({course})")]


def _instability(figures: ConfigFigures, scale: Scale) -> list[Sign]:
    return [Sign(good=False, text=f"unstable learning: {reason}") for reason in instabilities(figures, scale)]


def _improvement(figures: ConfigFigures, scale: Scale) -> list[Sign]:
    gain = figures.gain
    if gain is None or not _is_small(figures, scale):
        return []
    course = f"{signed(gain.mean)} from the first to the last fifth; threshold {signed(scale.practical_gain)}"
    what = "improvement too small to matter" if gain.mean > 0 else "no improvement over episodes"
    return [Sign(good=False, text=f"{what} ({course})")]


def _is_small(figures: ConfigFigures, scale: Scale) -> bool:
    """Whether the gain is at most too small to matter."""
    return figures.gain is not None and figures.gain.mean <= scale.practical_gain


def _level(figures: ConfigFigures, _scale: Scale) -> list[Sign]:
    """Zero is a level only where episodes are won and lost; a reward of -200 may be the best there is elsewhere."""
    if figures.win_rate is None or figures.last is None or figures.last.mean > 0:
        return []
    return [Sign(good=False, text=f"negative or zero rewards ({number(figures.last.mean)} in the last fifth)")]


_LOOKS: tuple[Callable[[ConfigFigures, Scale], list[Sign]], ...] = (
    _trend,
    _episode_variance,
    _consistency,
    _instability,
    _improvement,
    _level,
)
