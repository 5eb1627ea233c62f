"""What a handful of seeds show: intervals, comparisons, and how many seeds would do."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from rlsweep.analysis.bounds import ANY, Bounds
from rlsweep.analysis.curves import Floats
from rlsweep.analysis.rank_tests import mann_whitney

CONFIDENCE = 0.95

FEWEST_SEEDS = 3
"""With one seed there is no interval, and with two it is 12.7 standard errors wide to either side."""

BOOTSTRAP_FROM = 10
"""From so many seeds on the percentile bootstrap covers about what it claims (90% of a nominal 95 at ten seeds;
70 to 76% at three, where Student's t covers 88 to 95%)."""

RESAMPLES = 10_000

AT_ONCE = 25
"""Quantities whose resamples are held at a time, at 80 kB each and as much again to sort them."""

MOST_SEEDS = 17
"""What finds a gap of one standard deviation; a smaller one is not worth the seeds that it would take."""

SEEDS_FOR_GAP = ((3.0, 4), (2.0, 6), (1.0, MOST_SEEDS))
"""(gap between two configs in standard deviations over seeds, seeds per config that find it): two-sided 5%,
80% power, two-sample t."""


class Method(StrEnum):
    """How an interval was made; the value is its name for people."""

    STUDENT_T = "Student t"
    BOOTSTRAP = "percentile bootstrap"


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A 95% interval of a mean over seeds."""

    low: float
    high: float
    method: Method


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A mean over seeds. `sd` (over seeds) and `interval` are None with one seed, which shows no scatter."""

    mean: float
    seeds: int
    sd: float | None
    interval: Interval | None


def estimate(values: Sequence[float], within: Bounds = ANY) -> Estimate | None:
    """Mean of one value a seed, with its interval; None without values. Values must be finite.

    within: what the value can be; the interval ends there
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.size == 0:
        return None
    mean = float(sample.mean())
    if sample.size == 1:
        return Estimate(mean=mean, seeds=1, sd=None, interval=None)
    low, high, method = intervals(sample[:, np.newaxis])
    least, most = within
    interval = Interval(low=max(float(low[0]), least), high=min(float(high[0]), most), method=method)
    return Estimate(mean=mean, seeds=int(sample.size), sd=float(sample.std(ddof=1)), interval=interval)


def intervals(samples: Floats) -> tuple[Floats, Floats, Method]:
    """95% intervals of the means of several quantities, of which each of two seeds or more has one value.

    samples: (seeds, quantities) float64, finite. Gives low and high, (quantities,) each, and how they were made:
    Student's t for few seeds, the percentile bootstrap from BOOTSTRAP_FROM on.
    """
    seeds = len(samples)
    if seeds >= BOOTSTRAP_FROM:
        low, high = _bootstrap(samples)
        return low, high, Method.BOOTSTRAP
    mean = samples.mean(axis=0)
    half = t_half_width(1.0, seeds) * samples.std(axis=0, ddof=1)
    return mean - half, mean + half, Method.STUDENT_T


def t_half_width(sd: float, n: int) -> float:
    """Half the width of the 95% t interval of a mean over n >= 2 values."""
    return float(special.stdtrit(n - 1, 0.5 + CONFIDENCE / 2)) * sd / float(np.sqrt(n))


def _bootstrap(samples: Floats) -> tuple[Floats, Floats]:
    """Percentile bootstrap (Agarwal et al. 2021, arXiv 2108.13264, A.5), the same for the same values."""
    seeds, quantities = samples.shape
    times = _resamples(seeds).astype(np.float64)
    tail = 100 * (1 - CONFIDENCE) / 2
    bounds = np.empty((2, quantities))
    for first in range(0, quantities, AT_ONCE):
        part = slice(first, first + AT_ONCE)
        bounds[:, part] = np.percentile(times @ samples[:, part] / seeds, [tail, 100 - tail], axis=0)
    return bounds[0], bounds[1]


@lru_cache(maxsize=4)
def _resamples(seeds: int) -> NDArray[np.uint16]:
    """How often each seed was drawn in each resample, (RESAMPLES, seeds): all means of a resample are one product."""
    draws = np.random.default_rng(0).integers(0, seeds, size=(RESAMPLES, seeds))
    places = draws + seeds * np.arange(RESAMPLES)[:, np.newaxis]
    return np.bincount(places.ravel(), minlength=RESAMPLES * seeds).reshape(RESAMPLES, seeds).astype(np.uint16)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dominance:
    """How often a seed of one config beats a seed of another.

    probability: P(X > Y) + P(X = Y) / 2, that is Mann-Whitney's U / (n m)
    p_value: one-sided, exact: the chance of so high a U among equal configs
    """

    probability: float
    p_value: float


def dominance(ours: Sequence[float], theirs: Sequence[float]) -> Dominance | None:
    """Compare two configs' seeds; None where either has none."""
    if not ours or not theirs:
        return None
    u, p_value = mann_whitney(ours, theirs)
    return Dominance(probability=u / (len(ours) * len(theirs)), p_value=p_value)


def p_value_of_difference(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Two-sided p-value of Welch's t test; 1 where either side has fewer than two seeds.

    It is never smaller than 1 / C(n + m, n) allows when both sides show no scatter at all: seeds that agree to the
    last digit still are only n and m seeds.
    """
    if len(ours) < 2 or len(theirs) < 2:
        return 1.0
    variances = np.var(ours, ddof=1) / len(ours), np.var(theirs, ddof=1) / len(theirs)
    error = sum(variances)
    if error == 0 or (np.ptp(ours) == 0 and np.ptp(theirs) == 0):
        if ours[0] == theirs[0]:
            return 1.0
        return float(min(1.0, 2.0 / special.comb(len(ours) + len(theirs), len(ours))))
    t = (np.mean(ours) - np.mean(theirs)) / np.sqrt(error)
    parts = variances[0] / error, variances[1] / error  # their squares do not underflow
    freedom = 1 / (parts[0] ** 2 / (len(ours) - 1) + parts[1] ** 2 / (len(theirs) - 1))
    return float(2 * special.stdtr(freedom, -abs(t)))


def p_values_of_pairs(scores: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """`p_value_of_difference` of each pair, (samples, samples): hundreds at a time take a hundredth of the time."""
    samples = [np.asarray(values, dtype=np.float64) for values in scores]
    number = np.array([len(values) for values in samples])
    mean = np.array([np.mean(values) if len(values) else 0.0 for values in samples])
    part = np.array([np.var(values, ddof=1) / len(values) if len(values) > 1 else 0.0 for values in samples])
    error = part[:, np.newaxis] + part
    found = np.ones(error.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (mean[:, np.newaxis] - mean) / np.sqrt(error)
        shares = (part[:, np.newaxis] / error) ** 2, (part / error) ** 2
        freedom = 1 / (shares[0] / (number - 1)[:, np.newaxis] + shares[1] / (number - 1))
        tested = 2 * special.stdtr(freedom, -np.abs(t))
    has_scatter = np.array([values.size > 1 and np.ptp(values) > 0 for values in samples], dtype=np.bool_)
    usual = (has_scatter[:, np.newaxis] | has_scatter) & (error > 0)
    usual &= (number > 1)[:, np.newaxis] & (number > 1)
    found[usual] = tested[usual]
    for one, other in zip(*np.nonzero(~usual), strict=True):
        if one != other:
            found[one, other] = p_value_of_difference(scores[one], scores[other])
    return found


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for being many (Holm 1979): step-down Bonferroni, in the order given."""
    order = np.argsort(p_values, kind="stable")
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def gap_in_sd(ours: Estimate, theirs: Estimate) -> float | None:
    """Distance of two means in units of the scatter over seeds; None where no scatter is known."""
    if ours.sd is None or theirs.sd is None:
        return None
    pooled = float(np.hypot(ours.sd, theirs.sd)) / float(np.sqrt(2))
    gap = abs(ours.mean - theirs.mean)
    if pooled == 0:
        return float("inf") if gap > 0 else 0.0
    return gap / pooled


def seeds_to_tell_apart(gap: float) -> int | None:
    """Seeds per config that would find a gap of so many sd with 80% power; None if more than MOST_SEEDS."""
    for least, seeds in SEEDS_FOR_GAP:
        if gap >= least:
            return seeds
    return None


def seeds_to_exclude(mean: Estimate, bound: float) -> int | None:
    """Seeds at which a t interval of this mean and sd would leave out `bound`; None if more than MOST_SEEDS."""
    if mean.sd is None:
        return None
    distance = abs(mean.mean - bound)
    return next((n for n in range(2, MOST_SEEDS + 1) if t_half_width(mean.sd, n) < distance), None)
