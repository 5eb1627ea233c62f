"""Several drivers on one Ray: side by side in one process, and one after another that was killed."""

import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prometheus import Prometheus, every, prometheus
from ray_head import end_tree, own_environ
from victims import Server

from rlsweep.runs import RunStatus
from rlsweep.store import schema
from rlsweep.store.database import Database
from tests.helpers.web_server import in_thread

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("drivers")]

HERE = Path(__file__).parent
RAYS_LABELS = {"Component", "NodeAddress", "SessionName", "Version", "WorkerId"} | {
    f"otel_scope_{part}" for part in ("name", "schema_url", "version")
}
SWEEPS = ("left", "right", "called-off", "loading", "called-off-loading", "silent")
TIME_LIMIT_S = 300  # about 30 s on two free cores


@dataclass(frozen=True)
class Drivers:
    """What happened before a last sweep, which is driven until its driver is killed.

    folder: a file `hang` in it lets that sweep's trial hang
    server: that of its database
    """

    happened: dict[str, Any]
    process: subprocess.Popen[bytes]
    folder: Path
    server: Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="rlsweep-test-") as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        server = Server(Path(folder), port)
        server.start()
        try:
            schema.upgrade(server.database)
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="module")
def drivers(
    embedded_database: Database,
    copy_of: Callable[[Database], AbstractContextManager[Database]],
    tmp_path_factory: pytest.TempPathFactory,
    server: Server,
) -> Iterator[Drivers]:
    folder = tmp_path_factory.mktemp("drivers")
    with copy_of(embedded_database) as database, (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, HERE / "drivers.py", database.url, folder, server.database.url],
            env=own_environ() | {"RAY_metrics_report_interval_ms": "4000"},
            stdout=log,
            stderr=log,
        )
        try:
            deadline = time.monotonic() + TIME_LIMIT_S
            while not (folder / "happened.json").exists():
                ended = process.poll() is not None or time.monotonic() > deadline
                assert not ended, (folder / "log").read_text()[-5000:]
                time.sleep(0.2)
            happened = json.loads((folder / "happened.json").read_text())
            yield Drivers(happened, process, folder, server)
        finally:
            end_tree(process.pid)
            process.wait(30)


@pytest.fixture
def happened(drivers: Drivers) -> dict[str, Any]:
    return drivers.happened


def test_two_drivers_in_one_process_run_their_sweeps_side_by_side(happened: dict[str, Any]) -> None:
    for name in ("left", "right"):
        done = {"status": "completed", "attempt": 1, "command": name, "env_steps": 64}
        assert happened["side_by_side"][name] == [done] * 3, "each with the parameters of its own sweep"


def test_a_sweep_that_was_stopped_before_its_driver_began_is_not_begun(happened: dict[str, Any]) -> None:
    assert happened["stopped_before_it_began"] == {"sweep": "stopped", "runs": [["stopped", 0]] * 2}


def test_a_driver_waits_for_workers_with_its_lease_and_until_a_stop(happened: dict[str, Any]) -> None:
    seen = happened["waiting_for_workers"]
    assert seen["status"] == "completed"
    assert len({sign for sign, _ in seen["signs"]}) == 4, "each time it renewed its lease"
    assert {attempt for _, attempt in seen["signs"]} == {0}, "no trial began"
    assert seen["called_off"] == ["stopped", "stopped", 0]


def test_a_silent_run_is_not_taken_from_an_actor_that_lives(happened: dict[str, Any]) -> None:
    seen = happened["silent_workers"]
    assert f"its process {seen['pid']} on " in seen["refused"]
    assert ") is alive. End that process" in seen["refused"]
    assert seen["statuses"] == ["running", "pending"], "of a worker on another cluster Ray can say nothing"
    assert seen["attempt"] == 1, "while another driver waits"


def test_a_silent_run_is_taken_up_once_its_actor_is_dead(happened: dict[str, Any]) -> None:
    done = {"status": "completed", "attempt": 2, "command": "silent", "env_steps": 64}
    assert happened["silent_workers"]["runs"] == [done] * 2


def test_ray_tells_how_far_the_sweeps_have_come(happened: dict[str, Any]) -> None:
    series = happened["series"]
    dashboard = (HERE.parents[2] / "dashboards" / "grafana" / "rlsweep-ray.json").read_text()
    assert {name for name, *_ in series} == set(re.findall(r"ray_rlsweep_\w+", dashboard)), "what Grafana draws"

    own = {key for _, labels, _ in series for key in labels if key not in RAYS_LABELS}
    assert own == {"sweep", "status"}, "a label with a value for each trial would be a series for each"
    runs = {(labels["sweep"], labels["status"]): value for name, labels, value in series if name == "ray_rlsweep_runs"}
    assert runs.keys() == {(sweep, status.value) for sweep in SWEEPS for status in RunStatus}
    assert {sweep: runs[sweep, "completed"] for sweep in ("left", "silent")} == {"left": 3, "silent": 2}
    assert (runs.pop(("called-off", "stopped")), runs.pop(("called-off-loading", "stopped"))) == (2, 1)
    assert {value for (_, status), value in runs.items() if status != "completed"} == {0}, "each has ended"
    steps = {labels["sweep"]: value for name, labels, value in series if name == "ray_rlsweep_env_steps"}
    assert steps == {
        "left": 3 * 64,
        "right": 3 * 64,
        "called-off": 0,
        "loading": 64,
        "called-off-loading": 0,
        "silent": 2 * 64,
    }


@dataclass(frozen=True)
class Watching:
    """A Prometheus that watches the last sweep, which trains.

    page: ends Training History when it is closed
    since: Unix time
    """

    prometheus: Prometheus
    page: ExitStack
    since: float

    def told(self, alert: str, about: str) -> None:
        """Wait until the alert fires, and read it."""
        (fired,) = self.prometheus.wait_for(lambda: self.prometheus.firing(alert), alert)
        for said in ("summary", "description"):
            assert about in fired["annotations"][said]

    def wait_for(self, query: str) -> None:
        self.prometheus.wait_for(lambda: self.prometheus.instant(query), query)


@pytest.fixture(scope="module")
def watching(drivers: Drivers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watching]:
    """With the configuration and the alerts that users have, but at once: nobody waits for minutes here."""
    tokens = {"page-token": "of-the-page", "ray-token": drivers.happened["token"]}
    sooner = {"for: 2m": "for: 1s", "for: 5m": "for: 1s", "[15m]": "[5s]", "seconds > 15": "seconds > 6"}
    any_disk = {"< 0.1": "<= 1"}
    with ExitStack() as page:
        url = page.enter_context(in_thread(drivers.server.database, tokens["page-token"]))
        rays = drivers.happened["dashboard_url"]
        addresses = {"http://127.0.0.1:8265": rays, "127.0.0.1:5173": url.removeprefix("http://")}
        folder = tmp_path_factory.mktemp("watching") / "prometheus"
        with prometheus(folder, config=every(1) | addresses, rules=sooner | any_disk, tokens=tokens) as started:
            watching = Watching(started, page, time.time())
            watching.wait_for("ray_rlsweep_steps_per_second{sweep='watched'} > 0")
            yield watching


def test_every_panel_gets_what_it_draws_while_a_sweep_runs(watching: Watching) -> None:
    assert "watched" in watching.prometheus.chosen()
    for chosen in (".*", "watched"):
        panels = watching.prometheus.panels(chosen, since=watching.since)
        assert [title for title, answer in panels.items() if not answer] == [], "empty panels"
    now = {each["metric"]["status"]: each["value"][1] for each in panels["Runs by status, now"]}
    assert now == {status.value: "1" if status is RunStatus.RUNNING else "0" for status in RunStatus}
    for title in ("Env steps per second, now", "Episodes"):
        assert float(panels[title][0]["value"][1]) > 0
    assert float(panels["Trials finished"][0]["values"][-1][1]) == 0
    assert float(panels["Env steps"][0]["values"][-1][1]) > 0


def test_alerts_fire_when_things_go_wrong(watching: Watching, drivers: Drivers) -> None:
    """One after the other: the last one ends what the first ones are about. Of a lost node tells test_jobs.py."""
    watching.told("RlsweepDiskFull", "disk")

    drivers.server.stop()
    watching.told("RlsweepDatabaseAway", "database")
    watching.told("RlsweepSpoolGrowing", "watched")
    drivers.server.start()
    watching.wait_for("ray_rlsweep_spool_bytes{sweep='watched'} == 0")

    (drivers.folder / "hang").touch()
    watching.told("RlsweepSweepWithoutProgress", "watched")

    drivers.process.kill()
    watching.told("RlsweepDriverLost", "watched")

    watching.page.close()
    watching.told("RlsweepPageAway", "Training History")
