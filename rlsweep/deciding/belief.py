"""What a record lets us believe of each config's expected score.

finished   the mean of its full scores. Its seed variance is moderated towards the pooled one (Smyth 2004, Statistical
           Applications in Genetics and Molecular Biology 3). Not shrunk towards the other means: that loses outliers
at the rung  what its score there predicts: a weighted regression of full scores on scores at the rung over the finished
           configs, with the variance between configs that this very race shows (Fay and Herriot 1979, Journal of the
           American Statistical Association 74; moments of Paule and Mandel 1982, Journal of Research of the NBS 87)
no score   what the finished configs scored, as widely as they scatter
"""

from dataclasses import dataclass
from math import pi
from statistics import median

import numpy as np
from numpy.typing import NDArray

from rlsweep.deciding.records import RaceSettings
from rlsweep.deciding.regression import fit_level, fit_line
from rlsweep.deciding.standing import Standing
from rlsweep.race_records import Statistic

Floats = NDArray[np.float64]

LEAST_BETWEEN = 0.05
"""Least variance between configs about the regression, as a share of the pooled seed variance."""

FEWEST_FOR_A_SLOPE = 3
"""Finished configs that a regression on the rung takes."""

MEDIAN_VARIANCE = pi / 2
"""Variance of the median of many normal values, in variances of their mean."""

LEAST_SHARE = 1e-9
"""Least standard deviation over seeds, as a share of the largest score, so that equal scores divide by no zero."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Belief:
    """Of each config's expected score: mean and variance; of its seeds: variance. All of shape (configs,).

    freedom: degrees of freedom of Student's t, whose tails the beliefs have
    """

    mean: Floats
    variance: Floats
    seed_variance: Floats
    freedom: float


def resolve_tolerance(settings: RaceSettings, standing: Standing) -> float | None:
    """The tolerance in units of the score; None while it is a share and no run has finished."""
    tolerance = settings.tolerance
    if not tolerance.is_share:
        return tolerance.value
    best = max((_centre(settings, config.full) for config in standing.configs if config.full), default=None)
    return None if best is None else tolerance.value * (best - standing.start)


def believe(settings: RaceSettings, standing: Standing, tolerance: float) -> Belief:
    """Fit the model to the scores; at least one run must have finished."""
    configs = standing.configs
    seeds = np.array([len(config.full) for config in configs])
    done = np.flatnonzero(seeds)
    full = np.array([_centre(settings, config.full) for config in configs])
    seed_variance, pooled, freedom = _seed_variances(settings, standing, tolerance)
    mean, variance = full.copy(), seed_variance / np.maximum(seeds, 1)
    if len(done) < len(configs):
        least = LEAST_BETWEEN * pooled
        rung = np.array([_mean(config.rung) if config.rung else np.nan for config in configs])
        known, at_rung = np.isfinite(rung) & (seeds > 0), np.isfinite(rung) & (seeds == 0)
        if known.sum() < FEWEST_FOR_A_SLOPE:
            at_rung[:] = False
        if at_rung.any():
            line = fit_line(rung[known], full[known], variance[known], least)
            mean[at_rung], variance[at_rung] = line.at(rung[at_rung])
        unknown = (seeds == 0) & ~at_rung
        if unknown.any():
            mean[unknown], variance[unknown] = _by_level(full[done], variance[done], standing.start, least)
    return Belief(mean=mean, variance=variance, seed_variance=seed_variance, freedom=freedom)


def _centre(settings: RaceSettings, scores: tuple[float, ...]) -> float:
    """Mean or median of a config's seeds, 0 without any."""
    if settings.statistic is Statistic.MEDIAN and scores:
        return median(scores)
    return _mean(scores)


def _mean(scores: tuple[float, ...]) -> float:
    return sum(scores) / len(scores) if scores else 0.0


def _seed_variances(settings: RaceSettings, standing: Standing, tolerance: float) -> tuple[Floats, float, float]:
    """Each config's variance over seeds, the pooled one, and the degrees of freedom of the t tails."""
    within, freedom = np.zeros(len(standing.configs)), np.zeros(len(standing.configs))
    largest = 0.0
    for index, config in enumerate(standing.configs):
        largest = max(largest, *(abs(score) for score in config.full), 0.0)
        if len(config.full) > 1:
            middle = _mean(config.full)
            within[index] = sum((score - middle) ** 2 for score in config.full) / (len(config.full) - 1)
            freedom[index] = len(config.full) - 1
    total = float(freedom.sum())
    least = max((settings.floor * tolerance) ** 2, (LEAST_SHARE * largest) ** 2, 1e-200)
    pooled = max(float((within * freedom).sum()) / total if total else 0.0, least)
    moderated = (settings.prior_freedom * pooled + freedom * within) / (settings.prior_freedom + freedom)
    if settings.statistic is Statistic.MEDIAN:
        moderated *= MEDIAN_VARIANCE
    return moderated, pooled, max(3.0, total + settings.prior_freedom / 2)


def _by_level(full: Floats, error: Floats, start: float, least: float) -> tuple[float, float]:
    """Mean and variance of the expected score of a config of which nothing is known."""
    if len(full) == 1:
        return float(full[0]), float((full[0] - start) ** 2 + error[0]) + least
    level = fit_level(full, error, least)
    return level.level, level.scatter + level.level_variance
