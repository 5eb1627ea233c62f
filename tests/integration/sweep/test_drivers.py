"""Several drivers on one Ray: side by side in one process, and one after another that was killed."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from ray_head import own_environ

from rlsweep.runs import RunStatus
from rlsweep.store.database import Database

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("drivers")]

HERE = Path(__file__).parent
RAYS_LABELS = {"Component", "NodeAddress", "SessionName", "Version", "WorkerId"} | {
    f"otel_scope_{part}" for part in ("name", "schema_url", "version")
}
SWEEPS = ("left", "right", "called-off", "silent")
TIME_LIMIT_S = 300  # about 30 s on two free cores


@pytest.fixture(scope="module")
def happened(
    embedded_database: Database,
    copy_of: Callable[[Database], AbstractContextManager[Database]],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("drivers")
    with copy_of(embedded_database) as database:
        done = subprocess.run(
            [sys.executable, HERE / "drivers.py", database.url, folder],
            env=own_environ(),
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT_S,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-5000:]
    happened: dict[str, Any] = json.loads((folder / "happened.json").read_text())
    return happened


def test_two_drivers_in_one_process_run_their_sweeps_side_by_side(happened: dict[str, Any]) -> None:
    for name in ("left", "right"):
        done = {"status": "completed", "attempt": 1, "command": name, "env_steps": 64}
        assert happened["side_by_side"][name] == [done] * 3, "each with the parameters of its own sweep"


def test_a_sweep_that_was_stopped_before_its_driver_began_is_not_begun(happened: dict[str, Any]) -> None:
    assert happened["stopped_before_it_began"] == {"sweep": "stopped", "runs": [["stopped", 0]] * 2}


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
    assert runs.pop(("called-off", "stopped")) == 2
    assert {value for (_, status), value in runs.items() if status != "completed"} == {0}, "each has ended"
    steps = {labels["sweep"]: value for name, labels, value in series if name == "ray_rlsweep_env_steps"}
    assert steps == {"left": 3 * 64, "right": 3 * 64, "called-off": 0, "silent": 2 * 64}
