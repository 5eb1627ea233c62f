import pytest

from rlsweep.deciding.forecast import forecast
from rlsweep.deciding.records import RaceSettings, Tolerance

RUN = 20_480.0


def settings(configs: int, cap: float = 1 / 2) -> RaceSettings:
    return RaceSettings(
        tolerance=Tolerance(value=0.1, is_share=True), cap=cap * 5 * configs * RUN, run_cost=RUN, rung_cost=RUN / 2
    )


def test_least_and_greatest_are_those_of_the_opening_and_of_the_cap():
    found = forecast(settings(16), 16, slots=2)
    assert (found.least.runs, found.least.env_steps) == (16 + 3 + 1, (8 + 10 / 2 + 4) * RUN)
    assert (found.greatest.runs, found.greatest.env_steps) == (16 + 27, 40 * RUN)
    assert (found.grid.runs, found.grid.env_steps) == (80, 80 * RUN)


@pytest.mark.parametrize("configs", [3, 8, 40])
def test_what_is_likely_lies_between(configs: int):
    for slots in (1, 8):
        found = forecast(settings(configs), configs, slots=slots)
        assert found.least.runs <= found.likely.runs <= found.greatest.runs
        assert found.least.env_steps <= found.likely.env_steps <= found.greatest.env_steps
        assert found.likely.env_steps / slots <= found.likely.length <= found.greatest.length
        assert forecast(settings(configs), configs, slots=slots) == found


def test_a_cap_below_the_opening_is_not_passed():
    found = forecast(settings(16, cap=0.15), 16, slots=2)
    assert max(found.least.env_steps, found.likely.env_steps, found.greatest.env_steps) <= 0.15 * 80 * RUN
