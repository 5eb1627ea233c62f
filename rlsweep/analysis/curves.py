"""One run's learning curve: fifths of its budget, rolling means on a grid, drawdown, convergence, area.

A curve is two arrays over the run's episodes in the order in which they ended: `env_steps` (when each ended, never
falling) and `reward`. Progress is counted in env steps, the unit of experience: an episode that ends at step e of a
run of E steps lies in the first fifth where e <= E/5, and in the last where e > 4E/5.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Steps = NDArray[np.int64]

FIFTH = 0.2
"""Share of the budget that the score and the starting level are taken over."""

HALF = 0.5
"""Share of the budget at which a race has its rung, and from which one tells whether the order still changes."""

STAGES = 9
"""Fifths of a run that begin at 0, 10, … 80% of it: a curve smooth enough to speak of its peak."""

_STARTS = np.linspace(0.0, 1.0 - FIFTH, STAGES)

CURVE_POINTS = 100
"""Points of a curve that is compared or drawn: finer than any screen column of a summary needs."""

CLEAR_SE = 3.0
"""Standard errors by which a peak must stand out. The peak is the best of nine overlapping stages, so the
usual two would be passed by chance in a flat curve about one time in ten."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Mean reward over one fifth of a run; `se` is the mean's standard error, from the episodes' own scatter."""

    mean: float
    sd: float
    episodes: int

    @property
    def se(self) -> float:
        """Standard error of the mean; infinite for one episode, whose scatter is unknown."""
        return self.sd / float(np.sqrt(self.episodes)) if self.episodes > 1 else float("inf")


def stage_slices(env_steps: Steps, starts: ArrayLike, stops: ArrayLike) -> list[slice]:
    """Which episodes ended after each start and up to its stop (shares of the run, 0 to 1).

    Where none did, because episodes are long, the one that ended nearest to the stop stands for the stage. An empty run
    gives empty slices.
    """
    if env_steps.size == 0:
        return [slice(0)] * np.size(starts)
    progress = env_steps / env_steps[-1]
    firsts, ends = (np.searchsorted(progress, bounds, side="right").tolist() for bounds in (starts, stops))
    found = [slice(first, end) for first, end in zip(firsts, ends, strict=True)]
    for place, stop in enumerate(np.asarray(stops)):
        if found[place].start >= found[place].stop:
            nearest = int(np.argmin(np.abs(progress - stop)))
            found[place] = slice(nearest, nearest + 1)
    return found


def stages_between(env_steps: Steps, reward: Floats, starts: ArrayLike, stops: ArrayLike) -> list[Stage | None]:
    """Mean and scatter of the finite rewards in each part of the run; None where there are none."""
    is_finite = np.isfinite(reward)
    parts = stage_slices(env_steps, starts, stops)
    if is_finite.all():
        return [_stage(reward[part]) for part in parts]
    return [_stage(reward[part][is_finite[part]]) for part in parts]


def _stage(reward: Floats) -> Stage | None:
    if reward.size == 0:
        return None
    mean = float(np.add.reduce(reward)) / reward.size
    apart = reward - mean
    sd = math.sqrt(float(np.add.reduce(apart * apart)) / (reward.size - 1)) if reward.size > 1 else 0.0
    return Stage(mean=mean, sd=sd, episodes=int(reward.size))


def stages(env_steps: Steps, reward: Floats) -> list[Stage | None]:
    """The nine overlapping fifths of a run, from the one with its starting level to the one that it is scored by.

    None where no reward is finite.
    """
    return stages_between(env_steps, reward, _STARTS, _STARTS + FIFTH)


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawdown:
    """A fall from the peak that the episodes' scatter does not explain.

    share: (peak - final) / (peak - start); 1 means that all that was gained is lost again, more means worse
    """

    start: float
    peak: float
    final: float
    share: float


def drawdown(curve: Sequence[Stage]) -> Drawdown | None:
    """How much of its gain the run lost again; None where neither rise nor fall stands out from the noise.

    curve: the stages of the run that have a finite reward
    """
    if len(curve) < STAGES:
        return None
    peak = max(curve, key=lambda each: each.mean)
    start, final = curve[0], curve[-1]
    rise, fall = peak.mean - start.mean, peak.mean - final.mean
    if not (_stands_out(rise, peak, start) and _stands_out(fall, peak, final)):
        return None
    return Drawdown(start=start.mean, peak=peak.mean, final=final.mean, share=fall / rise)


def _stands_out(difference: float, one: Stage, other: Stage) -> bool:
    return difference > 0 and difference > CLEAR_SE * float(np.hypot(one.se, other.se))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class AlignedCurves:
    """Smoothed curves of several runs at the same env steps.

    env_steps: (points,) float64, evenly spaced up to the end of the shortest run
    reward: (runs, points) float64, each the rolling mean over the fifth of the grid's span that ends there
    """

    env_steps: Floats
    reward: Floats

    @property
    def mean(self) -> Floats:
        """Mean over the runs, (points,)."""
        return np.asarray(self.reward.mean(axis=0), dtype=np.float64)


def rolling_mean(env_steps: Steps, reward: Floats, at: Floats, width: float) -> Floats:
    """Mean reward of the episodes that ended in (x - width, x] for each x of `at`.

    Where no episode ended in that span the value is that of the last episode before x, or of the first episode
    at all: a curve has no holes. `reward` must be finite and not empty.
    """
    until = np.searchsorted(env_steps, at, side="right")
    since = np.searchsorted(env_steps, at - width, side="right")
    total = np.concatenate(([0.0], np.cumsum(reward)))
    count = until - since
    means = (total[until] - total[since]) / np.maximum(count, 1)
    carried = reward[np.maximum(until - 1, 0)]
    return np.asarray(np.where(count > 0, means, carried), dtype=np.float64)


def aligned(curves: Sequence[tuple[Steps, Floats]], points: int = CURVE_POINTS) -> AlignedCurves | None:
    """Smooth runs and put them on one grid of env steps; None where no run has a finite reward.

    The grid begins where the first window is full, a fifth into the shortest run, so that every value is a mean
    over the same number of env steps.
    """
    finite = [(steps[np.isfinite(reward)], reward[np.isfinite(reward)]) for steps, reward in curves]
    finite = [(steps, reward) for steps, reward in finite if steps.size]
    if not finite:
        return None
    end = float(min(steps[-1] for steps, _ in finite))
    grid = np.linspace(FIFTH * end, end, points)
    rows = [rolling_mean(steps, reward, grid, FIFTH * end) for steps, reward in finite]
    return AlignedCurves(env_steps=grid, reward=np.stack(rows))


def steps_to_share_of_gain(env_steps: Floats, curve: Floats, share: float = 0.9) -> float | None:
    """Env steps at which a smoothed curve first holds `share` of its final gain; None without a gain."""
    gain = float(curve[-1] - curve[0])
    if gain <= 0:
        return None
    reached = curve >= curve[0] + share * gain
    return float(env_steps[int(np.argmax(reached))])


def area_under_curve(env_steps: Floats, curve: Floats) -> float:
    """Area under a smoothed curve over its env steps: its mean height, in units of reward (trapezoid rule)."""
    span = float(env_steps[-1] - env_steps[0])
    return float(np.trapezoid(curve, env_steps)) / span if span > 0 else float(curve[-1])
