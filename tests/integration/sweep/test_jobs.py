"""Sweeps sent to a cluster through Ray's Jobs API: left, attached to, with a node killed, stopped, gone on with.

The cluster is a head and two more nodes on this machine; tests/integration/sweep/test_hosts.py has hosts of their own.
"""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from victims import Nodes

pytestmark = [pytest.mark.integration, pytest.mark.slow]

TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "10b5" * 16}
EPISODES = 100
LONG = ("--set", "checkpoint_interval_episodes=5", "--set", "evaluation.enabled=false", "--mode", "full")
PATIENCE_S = 240


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
        environ = rlsweep_at_home.environ | TOKEN | {"PATH": path, "RAY_TMPDIR": folder}
        nodes = Nodes(2, environ, Path(folder) / "nodes.log", dashboard_port=port)
        try:
            yield Cluster(f"http://127.0.0.1:{port}", nodes)
        finally:
            nodes.stop()


def test_a_sweep_lives_on_a_cluster(rlsweep_at_home: Any, cluster: Cluster) -> None:
    rlsweep = rlsweep_at_home
    base = rlsweep.base("Calm", seconds=0.01)
    plan = ("submit", rlsweep.agents("a", "b"), "--episodes", str(EPISODES), "--base-config", base, *LONG)
    there = ("--address", cluster.url)

    # A missing or a wrong token is told at once, and nothing is on record.
    missing = rlsweep.run(*plan, *there, expect=2, HOME=str(rlsweep.folder)).stderr
    assert "requires a token, but none is set. Set RAY_AUTH_MODE=token" in missing
    wrong = rlsweep.run(*plan, *there, expect=2, **TOKEN | {"RAY_AUTH_TOKEN": "ab" * 32}).stderr
    assert "refuses the token of RAY_AUTH_TOKEN. Set RAY_AUTH_MODE=token" in wrong
    too_much = rlsweep.run(*plan, *there, "--cpus-per-trial", "3", expect=2, **TOKEN).stderr
    assert "No node has room for a trial with CPU 3; the largest values of any node are CPU 1" in too_much
    assert rlsweep.json("sweeps") == []

    # Left there, it goes on; sent again, it is refused.
    left = rlsweep.run(*plan, *there, "--name", "far", "--detach", **TOKEN).stdout
    assert f"Sweep far is driven by {cluster.url}" in left
    rlsweep.wait_until("select count(*) from checkpoints")
    refused = rlsweep.run("resume", "far", expect=1, **TOKEN).stderr
    assert "Sweep" in refused
    assert "is driven by" in refused

    # Attached to, while a node goes down.
    attached = rlsweep.start("attach", "far", **TOKEN)
    cluster.nodes.kill_one()
    out, err = attached.communicate(timeout=PATIENCE_S)
    assert attached.returncode == 0, out + err
    assert "Sweep far: completed" in out
    assert f"driven by {cluster.url}" not in out
    log = rlsweep.run("logs", "far", "--follow", **TOKEN).stdout
    assert "completed, 100/100 ep" in log
    assert "Sweep far: completed" in log
    assert rlsweep.run("logs", "far", **TOKEN).stdout == log
    assert "postgresql://" not in log, "the job's command and its log name no database"

    # Stopped as Ray's own dashboard would, it settles its record and leaves checkpoints; resumed, it goes back there.
    rlsweep.run(*plan, *there, "--name", "again", "--detach", **TOKEN)
    rlsweep.wait_until("select count(*) from checkpoints join training_runs on id = run_id where status = 'running'")
    job = rlsweep.json("status", "again")["sweep"]["id"]
    stop = "from ray.job_submission import JobSubmissionClient as C; import sys; C(sys.argv[1]).stop_job(sys.argv[2])"
    subprocess.run([sys.executable, "-c", stop, cluster.url, job], env=rlsweep.environ | TOKEN, check=True, timeout=60)
    rlsweep.wait_until("select 1 from sweeps where name = 'again' and status = 'stopped' and driver is null")
    resumed = rlsweep.run("resume", "again", timeout=PATIENCE_S, **TOKEN).stdout
    assert f"Sweep again is driven by {cluster.url}" in resumed
    runs = rlsweep.json("status", "again")["runs"]
    assert [run["status"] for run in runs] == ["completed"] * 2
    assert {run["attempt"] for run in runs} <= {1, 2}
    assert 2 in {run["attempt"] for run in runs}
    counted = rlsweep.rows("select distinct count(*), max(episode) from episodes group by run_id")
    assert counted == [(EPISODES, EPISODES)]
