"""The short form of `make bench`: everything that it runs, once, with next to nothing to do."""

import pytest
from test_sweep_overhead import whole_processes

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_the_overhead_benchmark_runs_all_three_processes() -> None:
    seconds = whole_processes(trials=2, steps=64, rounds=1)
    assert {name: len(values) for name, values in seconds.items()} == {
        "rlsweep submit": 1,
        "hand-written Tune": 1,
        "plain loop": 1,
    }
