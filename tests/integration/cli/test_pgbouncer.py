"""A real PgBouncer in transaction mode, with two connections to the server, before a database with a password."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pooler
import pytest

from rlsweep.store.database import Database

pytestmark = [pytest.mark.integration, pytest.mark.slow]

AGENT = """\
agent_id: tiny
name: Tiny
algorithm: PPO
version: 1
n_steps: 32
batch_size: 16
n_epochs: 1
network: {net_arch: [8]}
"""


@pytest.fixture
def pooled(
    password_server: Database, copy_of: Callable[[Database], AbstractContextManager[Database]]
) -> Iterator[Database]:
    if pooler.program() is None:
        if os.environ.get("RLSWEEP_REQUIRE_PGBOUNCER"):
            pytest.fail("PgBouncer is required, and not installed")
        pytest.skip("PgBouncer is not installed: apt-get install pgbouncer")
    with copy_of(password_server) as database, pooler.pooled(database, pool=2) as through:
        yield through


def test_a_run_is_recorded_resumed_listed_and_deleted_through_pgbouncer(cli: Any, pooled: Database) -> None:
    (cli.folder / "tiny_v1.yaml").write_text(AGENT)
    rlsweep = cli.with_environ(RLSWEEP_DATABASE_URL=pooled.url)
    quick = ("--mode", "full", "--set", "environment=CartPole-v1", "--set", "evaluation.enabled=false")
    rlsweep.run("train", "--agent-config", "tiny_v1.yaml", *quick, "--total-timesteps", "64")
    (run,) = rlsweep.json("runs")
    assert (run["status"], run["env_steps"]) == ("completed", 64)
    rlsweep.run("train", "--resume", run["id"], "--total-timesteps", "128")
    shown = rlsweep.json("show", run["id"])["run"]
    assert (shown["attempt"], shown["env_steps"]) == (2, 128)
    rlsweep.run("delete", run["id"], "--yes")
    assert rlsweep.json("runs") == []
