"""Sweeps sent to a cluster through Ray's Jobs API: left, attached to, with a node killed, stopped, gone on with.

The cluster is a head and one more node on this machine; tests/integration/sweep/test_hosts.py has hosts of their own.
"""

import json
import os
import socket
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prometheus import Prometheus, every, installed, prometheus
from victims import Nodes

pytestmark = [pytest.mark.integration, pytest.mark.slow]

TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "10b5" * 16}
EPISODES = 100
LONG = ("--set", "checkpoint_interval_episodes=5", "--set", "evaluation.enabled=false", "--mode", "full")
PATIENCE_S = 240
ON_CHECKPOINTS = """
select 1 from checkpoints join training_runs on id = run_id
where status = 'running' and checkpoints.attempt = {attempt} having count(distinct run_id) = 2
"""


@dataclass(frozen=True)
class Cluster:
    url: str
    nodes: Nodes


@pytest.fixture
def cluster(rlsweep_at_home: Any) -> Iterator[Cluster]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    # A folder with a short path, for sockets lie in it, and one of this test's own.
    with tempfile.TemporaryDirectory(prefix="rlsweep-jobs-", ignore_cleanup_errors=True) as folder:
        often = {"RAY_metrics_report_interval_ms": "4000"}
        environ = rlsweep_at_home.environ | TOKEN | often | {"PATH": path, "RAY_TMPDIR": folder}
        nodes = Nodes(1, environ, Path(folder) / "nodes.log", dashboard_port=port)
        try:
            yield Cluster(f"http://127.0.0.1:{port}", nodes)
        finally:
            nodes.stop()


@pytest.fixture
def watching(cluster: Cluster, tmp_path: Path) -> Iterator[Prometheus | None]:
    """A Prometheus that finds the cluster's nodes as a user's does; None where none is installed."""
    if installed("prometheus") is None:
        yield None
        return
    address = {"127.0.0.1:8265": cluster.url.removeprefix("http://")}
    tokens = {"page-token": "none", "ray-token": TOKEN["RAY_AUTH_TOKEN"]}
    with prometheus(tmp_path / "prometheus", config=every(3) | address, rules={}, tokens=tokens) as started:
        yield started


def test_a_sweep_lives_on_a_cluster(rlsweep_at_home: Any, cluster: Cluster, watching: Prometheus | None) -> None:
    rlsweep = rlsweep_at_home
    base = rlsweep.base("Calm", seconds=0.01)
    plan = ("submit", rlsweep.agents("a", "b"), "--episodes", str(EPISODES), "--base-config", base, *LONG)
    there = ("--address", cluster.url)

    # A missing or a wrong token is told at once, and nothing is on record.
    missing = rlsweep.drive(*plan, *there, expect=2, HOME=str(rlsweep.folder)).stderr
    assert "requires a token, but none is set. Set RAY_AUTH_MODE=token" in missing
    wrong = rlsweep.drive(*plan, *there, expect=2, **TOKEN | {"RAY_AUTH_TOKEN": "ab" * 32}).stderr
    assert "refuses the token of RAY_AUTH_TOKEN. Set RAY_AUTH_MODE=token" in wrong
    too_much = rlsweep.drive(*plan, *there, "--cpus-per-trial", "3", expect=2, **TOKEN).stderr
    assert "No node has room for a trial with CPU 3; the largest values of any node are CPU 1" in too_much
    assert rlsweep.json("sweeps") == []

    # Left there, it goes on; sent again, it is refused.
    began = time.time()
    left = rlsweep.drive(*plan, *there, "--name", "far", "--detach", **TOKEN).stdout
    assert f"Sweep far is driven by {cluster.url}" in left
    rlsweep.wait_until(ON_CHECKPOINTS.format(attempt=1))
    refused = rlsweep.drive("resume", "far", expect=1, **TOKEN).stderr
    assert "Sweep" in refused
    assert "is driven by" in refused

    # Stopped as Ray's own dashboard would, it settles its record and leaves checkpoints; resumed, it goes back there.
    stop_job(cluster.url, rlsweep.json("status", "far")["sweep"]["id"])
    rlsweep.wait_until("select 1 from sweeps where name = 'far' and status = 'stopped' and driver is null")
    assert {run["attempt"] for run in rlsweep.json("status", "far")["runs"]} == {1}
    resumed = rlsweep.drive("resume", "far", "--detach", **TOKEN).stdout
    assert f"Sweep far is driven by {cluster.url}" in resumed
    rlsweep.wait_until(ON_CHECKPOINTS.format(attempt=2))

    # Attached to, while the node of a trial goes down.
    attached = rlsweep.start("attach", "far", **TOKEN)
    cluster.nodes.kill_one()
    out, err = attached.communicate(timeout=PATIENCE_S)
    assert attached.returncode == 0, out + err
    assert "Sweep far: completed" in out
    assert f"driven by {cluster.url}" not in out
    log = rlsweep.drive("logs", "far", "--follow", **TOKEN).stdout
    assert "completed, 100/100 ep" in log
    assert "Sweep far: completed" in log
    assert rlsweep.drive("logs", "far", **TOKEN).stdout == log
    assert "postgresql://" not in log, "the job's command and its log name no database"
    runs = rlsweep.json("status", "far")["runs"]
    assert [run["status"] for run in runs] == ["completed"] * 2
    assert sorted(run["attempt"] for run in runs) == [2, 3], "one of them was on the node that went down"
    counted = rlsweep.rows("select count(*), min(episode), max(episode) from episodes group by run_id")
    assert counted == [(EPISODES, 1, EPISODES)] * 2

    if watching is not None:
        check_what_was_watched(watching, "far", began)

    # What decisions choose is trained there like any other sweep.
    halving = ("--scheduler", "asha", "--rungs", "2", "--reduction", "2", "--objective", "training_reward")
    halved = rlsweep.drive(*plan, *there, *halving, "--name", "halved", **TOKEN).stdout
    assert f"Sweep halved is driven by {cluster.url}" in halved
    assert sorted(run["status"] for run in rlsweep.json("status", "halved")["runs"]) == ["completed", "paused"]


def check_what_was_watched(watching: Prometheus, sweep: str, began: float) -> None:
    """Every panel had something to draw since the sweep `began`, and the lost node is told."""
    speed = f"ray_rlsweep_steps_per_second{{sweep='{sweep}'}} > 0"
    moments = [float(moment) for series in watching.over_time(speed, since=began) for moment, _ in series["values"]]
    assert moments, "no speed was told"
    panels = watching.panels(sweep, since=began, at=max(moments))
    assert [title for title, answer in panels.items() if not answer] == [], "empty panels"

    (alert,) = watching.wait_for(lambda: watching.firing("RlsweepNodeLost"), "a lost node")
    assert "lost 1 of its nodes within 15 minutes" in alert["annotations"]["description"]


def stop_job(url: str, job: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN['RAY_AUTH_TOKEN']}"}
    asked = urllib.request.Request(f"{url}/api/jobs/{job}/stop", method="POST", headers=headers)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        assert json.load(answer)["stopped"] is True
