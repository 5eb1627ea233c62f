"""Exact rank tests of a few values: those of SciPy, without what it does for arrays of any shape.

A report of 32 configs makes a hundred of these tests, at half a millisecond to a millisecond each in SciPy.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from math import comb, factorial, nan

import numpy as np
from scipy import special

from rlsweep.analysis.curves import Floats

MOST_EXACT = 8
"""Values in the smaller sample up to which Mann-Whitney's test is exact, without ties."""


def mann_whitney(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float]:
    """Mann-Whitney's U of ours, and its one-sided p-value: the chance of so high a U in equal populations.

    Exact for few values without ties, else by the normal distribution with corrections for ties and continuity.
    """
    x, y = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    u = float((x[:, np.newaxis] > y).sum() + (x[:, np.newaxis] == y).sum() / 2)
    n, m = x.size, y.size
    ties = np.unique(np.concatenate((x, y)), return_counts=True)[1]
    if min(n, m) <= MOST_EXACT and (ties == 1).all():
        return u, sum(_arrangements(n, m)[int(u) :]) / comb(n + m, n)
    total = n + m
    variance = n * m / 12 * (total + 1 - float((ties**3 - ties).sum()) / (total * (total - 1)))
    away = u - n * m / 2 - 0.5
    return u, float(special.ndtr(-away / np.sqrt(variance))) if variance > 0 else float(away <= 0)


@lru_cache(maxsize=64)
def _arrangements(n: int, m: int) -> list[int]:
    """In how many orders of n and m values U is 0, 1 … n * m: the coefficients of Gauss's binomial."""
    counts = [1] + [0] * (n * m)
    for place in range(1, n + 1):
        for power in range(n * m, m + place - 1, -1):
            counts[power] -= counts[power - m - place]
        for power in range(place, n * m + 1):
            counts[power] += counts[power - place]
    return counts


def kendall_in_order(values: Floats) -> tuple[float, float]:
    """Kendall's tau-b of values with their order, and its two-sided p-value; NaN where all values are equal.

    Exact without ties, else by the normal distribution (Kendall 1970, Rank Correlation Methods, chapter 4).
    """
    size = values.size
    after = values[np.newaxis] - values[:, np.newaxis]
    signs = np.sign(after[np.triu_indices(size, 1)])
    pairs = signs.size
    falling = int((signs < 0).sum())
    if (signs == 0).any():
        rising = int((signs > 0).sum())
        if rising + falling == 0:
            return nan, nan
        ties = np.unique(values, return_counts=True)[1]
        spread = size * (size - 1) * (2 * size + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())
        away = abs(rising - falling) / np.sqrt(spread / 18)
        return (rising - falling) / np.sqrt(pairs * (rising + falling)), float(2 * special.ndtr(-away))
    orders = sum(_falls(size)[: min(falling, pairs - falling) + 1])
    return 1 - 2 * falling / pairs, min(1.0, 2 * orders / factorial(size))


@lru_cache(maxsize=8)
def _falls(size: int) -> list[int]:
    """How many orders of so many values have 0, 1 … pairs in which the later value is the lower one."""
    counts = [1]
    for more in range(1, size):
        sums = [0, *accumulate([*counts, *([0] * more)])]
        counts = [sums[place + 1] - sums[max(0, place - more)] for place in range(len(counts) + more)]
    return counts
