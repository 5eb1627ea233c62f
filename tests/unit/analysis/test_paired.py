"""Differences of configs, seed by seed."""

import numpy as np
import pytest

from rlsweep.analysis.intervals import estimate
from rlsweep.analysis.paired import paired_band, paired_difference


def test_only_equal_seeds_are_compared_and_what_they_share_drops_out():
    shared = {0: 10.0, 1: -3.0, 2: 55.0}
    ours = {seed: value + 1.0 + 0.01 * seed for seed, value in shared.items()} | {9: 1_000.0}
    found = paired_difference(ours, shared | {7: -1_000.0})
    assert found == estimate([ours[seed] - shared[seed] for seed in (0, 1, 2)])
    assert (found.mean, found.seeds) == (pytest.approx(1.01), 3)
    assert found.interval.high - found.interval.low < 0.06, "the scatter that the seeds share is no part of it"
    assert paired_difference({1: 2.0}, {1: 0.5}).interval is None
    assert paired_difference({0: 1.0}, {1: 1.0}) is None


def test_a_band_of_differences_ends_where_the_first_of_its_curves_does():
    level = np.array([0.0, 5.0, 9.0])
    ours = {0: level + np.array([1.0, 2.0, np.nan]), 1: level + np.array([3.0, 2.0, 4.0]), 5: level + 99}
    found = paired_band(ours, {0: level, 1: level})
    assert found.mean[:2].tolist() == [2.0, 2.0]
    assert np.isnan(found.mean[2])
    assert (found.low[1], found.high[1]) == (2.0, 2.0)
    assert found.low[0] < -10, "two seeds that disagree show next to nothing"
    assert paired_band(ours, {3: level}) is None
