"""Learning curves of several seeds on one grid: each seed smoothed, their mean, and its 95% interval point by point."""

from dataclasses import dataclass

import numpy as np

from rlsweep.analysis.curves import Floats
from rlsweep.analysis.intervals import Method, intervals


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Band:
    """A mean over seeds along a grid, NaN where not every seed has a value, with its interval.

    mean: (points,) float64
    low, high: (points,) float64; None with one seed, which shows no scatter
    method: how the interval was made; None with it
    """

    mean: Floats
    low: Floats | None
    high: Floats | None
    method: Method | None


def window_means(total: Floats, number: Floats, width: int) -> Floats:
    """Means over the last `width` buckets, up to and with each: from the sum and number of the values in each bucket.

    Windows at the beginning hold what there is. Where a window is empty the last value before it stands, and before
    the first value that one: a curve has no holes. All NaN without any values.
    """
    if not number.any():
        return np.full(number.shape, np.nan)
    totals, numbers = _windows(total, width), _windows(number, width)
    # A window may be empty though a bucket before it is not: carry the last bucket that has values.
    filled = np.flatnonzero(number)
    last = np.searchsorted(filled, np.arange(number.size), side="right") - 1
    carried = (total[filled] / number[filled])[np.maximum(last, 0)]
    return np.where(numbers > 0, totals / np.maximum(numbers, 1), carried)


def _windows(values: Floats, width: int) -> Floats:
    """Sums of each value and the `width - 1` before it."""
    sums = np.concatenate((np.zeros(width), np.cumsum(values)))
    return np.asarray(sums[width:] - sums[:-width], dtype=np.float64)


def band(curves: Floats) -> Band:
    """Mean and interval over seeds. curves: (seeds, points) float64, NaN beyond the end of a run."""
    mean = np.asarray(curves.mean(axis=0), dtype=np.float64)
    if len(curves) < 2:
        return Band(mean=mean, low=None, high=None, method=None)
    complete = np.isfinite(curves).all(axis=0)
    low, high = np.full(mean.shape, np.nan), np.full(mean.shape, np.nan)
    low[complete], high[complete], method = intervals(curves[:, complete])
    return Band(mean=mean, low=low, high=high, method=method)
