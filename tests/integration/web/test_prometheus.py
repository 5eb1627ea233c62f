"""What Training History tells Prometheus: sweeps that are not finished, and whether the database can be read."""

import subprocess
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from prometheus import required

from rlsweep.runs import EndReason, RunStatus
from rlsweep.store import sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.store.monitoring import Standing
from rlsweep.web import prometheus

pytestmark = pytest.mark.integration

NOWHERE = Database("postgresql://nobody@127.0.0.1:1/nothing")
AWKWARD = 'a "quoted" \\ name'


def told(client: httpx.Client) -> dict[str, float]:
    """The value of each series."""
    answer = client.get(prometheus.PATH)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == prometheus.MEDIA_TYPE
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {series: float(value) for series, _, value in lines}


def test_unfinished_sweeps_are_told(
    database: Database, web: httpx.Client, new_sweep: Callable[..., Any], new_run: Callable[..., Any]
) -> None:
    assert told(web) == {"rlsweep_database_up": 1}

    sweep = sweeps.create(database, new_sweep(name=AWKWARD), [new_run(), new_run()])
    done = sweeps.create(database, new_sweep(), [new_run()])
    first, second = training_runs.ids_of_sweep(database, sweep.id)
    (other,) = training_runs.ids_of_sweep(database, done.id)
    for run_id in (first, second, other):
        assert transitions.begin_attempt(database, run_id, {}) is not None
    transitions.finish(database, second, 1, EndReason.FAILED)
    transitions.finish(database, other, 1, EndReason.COMPLETED)
    sweeps.settle(database, done.id)
    with database.connect() as connection:
        connection.execute("update training_runs set env_steps = 100")
        connection.execute("update sweeps set created_at = created_at - interval '1 hour'")

    label = r'sweep="a \"quoted\" \\ name"'
    series = told(web)
    silent = series.pop(f"rlsweep_sweep_driver_silent_seconds{{{label}}}")
    assert 3600 <= silent < 3700, "it never had a driver"
    runs = dict.fromkeys(("pending", "paused", "completed", "stopped"), 0.0) | {"running": 1, "failed": 1}
    assert series == {
        "rlsweep_database_up": 1,
        f"rlsweep_sweep_env_steps{{{label}}}": 200,
        **{f'rlsweep_sweep_runs{{{label},status="{status}"}}': count for status, count in runs.items()},
    }

    sweeps.take_lease(database, sweep.id, "someone")
    assert told(web)[f"rlsweep_sweep_driver_silent_seconds{{{label}}}"] < 60


def test_that_the_database_is_away_is_told_too(serving: Callable[..., Any]) -> None:
    with serving(NOWHERE) as client:
        assert told(client) == {"rlsweep_database_up": 0}


def test_labels_are_escaped() -> None:
    text = prometheus.gauge("it", "What it is.", [({"name": 'a\\b"c\nd'}, 1.5)])
    assert text == '# HELP it What it is.\n# TYPE it gauge\nit{name="a\\\\b\\"c\\nd"} 1.5\n'
    assert prometheus.gauge("it", "What it is.", []) == ""


def test_prometheus_takes_the_metrics(serving: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    standing = Standing(
        name=AWKWARD, runs_by_status={RunStatus.RUNNING: 2}, env_steps=10**12, driver_silent_seconds=1e-7
    )
    monkeypatch.setattr("rlsweep.store.monitoring.unfinished", lambda _: [standing])
    with serving(NOWHERE) as client:
        text = client.get(prometheus.PATH).text
    assert "1e-07" in text
    checked = subprocess.run(
        [required("promtool"), "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
