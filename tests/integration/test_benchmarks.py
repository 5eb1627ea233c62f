"""The short form of `make bench`: everything that it runs, once, with next to nothing to do."""

from pathlib import Path

import pytest
import test_web
import web_record
from test_sweep_overhead import whole_processes

from rlsweep.settings import Settings
from rlsweep.store.opening import open_database

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_the_overhead_benchmark_runs_all_three_processes() -> None:
    seconds = whole_processes(trials=2, steps=64, rounds=1)
    assert {name: len(values) for name, values in seconds.items()} == {
        "rlsweep submit": 1,
        "hand-written Tune": 1,
        "plain loop": 1,
    }


def test_the_benchmark_of_training_history_asks_everything(home: Path) -> None:
    with open_database(Settings(home=home, storage=home, database_url=None)) as database:
        web_record.load(database, web_record.SHORT)
        plans = test_web.plans(database)
    measured = test_web.measure(home, web_record.SHORT, rounds=1, list_requests=2, curve_requests=1)
    assert len(plans) == 2 * 12 + 4
    assert all(plan for pages in plans.values() for plan in pages)
    assert {"list, newest first", "curves of 16 long runs", "report of 16 long runs"} < set(measured.milliseconds)
    assert "all lists (reach 100)" in test_web.table(measured)
