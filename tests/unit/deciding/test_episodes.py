import pytest

from rlsweep.deciding.episodes import episodes_for
from rlsweep.deciding.records import Tolerance


@pytest.mark.parametrize(
    ("value", "is_share", "is_win_rate", "count"),
    [
        (0.1, True, False, 100),
        (0.05, True, False, 400),
        (0.03, False, True, 1_112),
        (0.001, False, True, 2_000),
        (0.5, True, True, 20),
        (12.0, False, False, 100),
    ],
)
def test_episodes_leave_an_error_of_half_the_tolerance(value, is_share, is_win_rate, count):
    found = episodes_for(Tolerance(value=value, is_share=is_share), is_win_rate=is_win_rate)
    assert found.count == count
    assert found.reason.startswith(f"{count:,} episodes")


def test_the_reason_says_what_a_smaller_tolerance_takes():
    assert "takes 1,000,000" in episodes_for(Tolerance(value=0.001, is_share=False), is_win_rate=True).reason
