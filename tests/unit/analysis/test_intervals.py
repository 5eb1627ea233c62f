import tracemalloc

import numpy as np
import pytest
from scipy import stats

from rlsweep.analysis.bounds import SHARE
from rlsweep.analysis.intervals import (
    Method,
    dominance,
    estimate,
    gap_in_sd,
    holm,
    intervals,
    p_value_of_difference,
    seeds_to_exclude,
    seeds_to_tell_apart,
)


def test_an_interval_ends_at_what_is_possible() -> None:
    wide = estimate([0.6, 1.0])
    cut = estimate([0.6, 1.0], SHARE)
    assert wide is not None
    assert cut is not None
    assert wide.interval is not None
    assert wide.interval.low < 0 < 1 < wide.interval.high
    assert cut.interval is not None
    assert (cut.mean, cut.interval.low, cut.interval.high) == (wide.mean, 0.0, 1.0)


def test_few_seeds_get_a_t_interval():
    found = estimate([1.0, 2.0, 3.0])
    assert found is not None
    assert found.interval is not None
    assert found.interval.method is Method.STUDENT_T
    low, high = stats.t.interval(0.95, 2, loc=2.0, scale=1 / np.sqrt(3))
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high))


def test_ten_seeds_get_a_bootstrap_that_is_the_same_each_time():
    values = list(np.random.default_rng(3).normal(size=10))
    np.random.seed(1)
    one = estimate(values)
    np.random.seed(2)
    assert estimate(values) == one
    assert one is not None
    assert one.interval is not None
    assert one.interval.method is Method.BOOTSTRAP
    assert one.interval.low < one.mean < one.interval.high


def test_many_bootstraps_are_as_each_alone_and_take_little_memory():
    samples = np.random.default_rng(4).normal(size=(12, 400))
    intervals(samples[:, :1])  # the resamples of twelve seeds are made once
    tracemalloc.start()
    low, high, method = intervals(samples)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert method is Method.BOOTSTRAP
    assert peak < 8e6
    for column in (0, 24, 25, 399):
        alone_low, alone_high, _ = intervals(samples[:, [column]])
        assert (low[column], high[column]) == pytest.approx((alone_low[0], alone_high[0]))


def test_one_seed_has_no_interval_and_none_no_estimate():
    one = estimate([4.0])
    assert one is not None
    assert (one.mean, one.sd, one.interval) == (4.0, None, None)
    assert estimate([]) is None


@pytest.mark.parametrize(("seeds", "least"), [(3, 0.93), (5, 0.93), (12, 0.88)])
def test_coverage(seeds, least):
    rng = np.random.default_rng(0)
    found = [estimate(list(rng.normal(size=seeds))) for _ in range(300)]
    assert np.mean([each.interval.low <= 0 <= each.interval.high for each in found]) >= least


def test_dominance_is_u_over_nm_with_an_exact_p():
    found = dominance([4.0, 5.0, 6.0], [1.0, 2.0, 3.0])
    assert found is not None
    assert (found.probability, found.p_value) == (1.0, pytest.approx(1 / 20))
    tied = dominance([1.0, 1.0, 1.0], [1.0, 1.0, 1.0])
    assert tied is not None
    assert tied.probability == 0.5
    assert tied.p_value >= 0.5
    assert dominance([], [1.0]) is None


def test_welch_agrees_with_scipy():
    ours, theirs = [0.1, 0.5, 0.3, 0.2], [0.9, 0.4, 1.1]
    expected = stats.ttest_ind(ours, theirs, equal_var=False).pvalue
    assert p_value_of_difference(ours, theirs) == pytest.approx(expected)


def test_seeds_without_scatter_are_still_few():
    assert p_value_of_difference([1.0, 1.0, 1.0], [0.0, 0.0, 0.0]) == pytest.approx(2 / 20)
    assert p_value_of_difference([1.0, 1.0], [1.0, 1.0]) == 1.0
    assert p_value_of_difference([1.0], [0.0, 0.1]) == 1.0
    assert p_value_of_difference([0.1, 0.1, 0.1], [0.7, 0.7, 0.7]) == pytest.approx(2 / 20)


@pytest.mark.parametrize("size", [1e-80, 1e-170])
def test_scatter_whose_square_underflows_is_scatter(size):
    assert 0.0 < p_value_of_difference([size, 2 * size, 3 * size], [9 * size, 9 * size, 8 * size]) <= 2 / 20


def test_holm_steps_down_and_keeps_the_order():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([]) == []


@pytest.mark.parametrize(("gap", "seeds"), [(0.9, None), (1.0, 17), (2.0, 6), (3.0, 4), (float("inf"), 4)])
def test_seeds_to_tell_apart_have_80_percent_power(gap, seeds):
    assert seeds_to_tell_apart(gap) == seeds
    if seeds is not None and np.isfinite(gap):
        freedom, shift = 2 * seeds - 2, gap * np.sqrt(seeds / 2)
        edge = stats.t.ppf(0.975, freedom)
        assert stats.nct.sf(edge, freedom, shift) >= 0.8


def test_gap_and_seeds_to_exclude():
    ours, theirs = estimate([1.0, 2.0, 3.0]), estimate([4.0, 5.0, 6.0])
    assert ours is not None
    assert theirs is not None
    assert gap_in_sd(ours, theirs) == pytest.approx(3.0)
    needed = seeds_to_exclude(ours, 0.0)
    assert needed == 4
