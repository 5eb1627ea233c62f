"""Rank tests give what SciPy's give."""

import numpy as np
import pytest
from scipy import stats

from rlsweep.analysis.rank_tests import kendall_in_order, mann_whitney


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 5), (3, 3), (5, 5), (8, 20), (9, 12), (2, 30)])
def test_mann_whitney_is_that_of_scipy(n: int, m: int, ties: bool) -> None:
    rng = np.random.default_rng(n * 100 + m)
    for _ in range(20):
        ours, theirs = rng.normal(0.5, 1, n), rng.normal(0, 1, m)
        if ties:
            ours, theirs = ours.round(), theirs.round()
        wanted = stats.mannwhitneyu(ours, theirs, alternative="greater", method="auto")
        assert mann_whitney(ours.tolist(), theirs.tolist()) == pytest.approx((wanted.statistic, wanted.pvalue))


def test_equal_samples_show_nothing() -> None:
    assert mann_whitney([0.5] * 3, [0.5] * 3) == (4.5, 1.0)


@pytest.mark.parametrize("digits", [8, 0])
def test_kendall_is_that_of_scipy(digits: int) -> None:
    rng = np.random.default_rng(3)
    for rise in (0.0, 0.2, 2.0, -0.3):
        for _ in range(10):
            values = np.round(rise * np.arange(10) + rng.normal(size=10), digits)
            wanted = stats.kendalltau(np.arange(10), values)
            assert kendall_in_order(values) == pytest.approx((wanted.statistic, wanted.pvalue))


def test_equal_values_have_no_order() -> None:
    assert np.isnan(kendall_in_order(np.ones(5))).all()
