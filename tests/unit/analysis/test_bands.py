import numpy as np
import pytest

from rlsweep.analysis.bands import band, window_means
from rlsweep.analysis.intervals import Method, estimate


def test_windows_are_means_over_all_that_is_in_them() -> None:
    total, number = np.array([2.0, 3.0, 10.0, 1.0]), np.array([2.0, 1.0, 5.0, 1.0])
    assert window_means(total, number, 1) == pytest.approx([1, 3, 2, 1])
    assert window_means(total, number, 2) == pytest.approx([1, 5 / 3, 13 / 6, 11 / 6])
    assert window_means(total, number, 9) == pytest.approx([1, 5 / 3, 15 / 8, 16 / 9])


def test_a_curve_has_no_holes() -> None:
    total, number = np.array([0.0, 4.0, 0.0, 0.0, 6.0]), np.array([0.0, 2.0, 0.0, 0.0, 1.0])
    assert window_means(total, number, 1) == pytest.approx([2, 2, 2, 2, 6])
    assert np.isnan(window_means(np.zeros(3), np.zeros(3), 2)).all()


@pytest.mark.parametrize("seeds", [2, 3, 9, 10, 30])
def test_every_point_is_the_estimate_of_its_values(seeds: int) -> None:
    curves = np.random.default_rng(seeds).normal(size=(seeds, 4))
    whole = band(curves)
    assert whole.low is not None
    assert whole.high is not None
    for point in range(4):
        one = estimate(curves[:, point].tolist())
        assert one is not None
        assert one.interval is not None
        assert (whole.mean[point], whole.low[point], whole.high[point]) == pytest.approx(
            (one.mean, one.interval.low, one.interval.high)
        )
        assert whole.method is one.interval.method
    assert whole.method is (Method.BOOTSTRAP if seeds >= 10 else Method.STUDENT_T)


def test_a_band_is_where_all_seeds_are() -> None:
    whole = band(np.array([[1.0, 2.0, 3.0], [2.0, 3.0, np.nan]]))
    assert whole.high is not None
    assert np.isfinite([whole.mean, whole.high])[:, :2].all()
    assert np.isnan([whole.mean[2], whole.high[2]]).all()
    alone = band(np.array([[1.0, 2.0]]))
    assert (alone.low, alone.high, alone.method) == (None, None, None)
