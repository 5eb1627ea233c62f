"""Who may go on with a sweep: somebody at a terminal who is asked, and nobody while others are at work on it."""

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ray_head import authenticated

from rlsweep.attempts.provenance import Provenance
from rlsweep.config.run import Mode
from rlsweep.planning.plan import make_plan
from rlsweep.planning.submission import create_sweep
from rlsweep.process_identity import own_process
from rlsweep.runs import RunStatus
from rlsweep.store import recording, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep, SweepStatus

pytestmark = pytest.mark.integration

AGENT = (
    "agent_id: tiny\nname: Tiny\nalgorithm: PPO\nversion: 1\nn_steps: 32\nbatch_size: 16\nnetwork: {net_arch: [8]}\n"
)
OVERRIDES = ("environment=CartPole-v1",)


@pytest.fixture
def stopped(cli_on_database: Any, database: Database) -> Sweep:
    """A sweep of one trial that was stopped before it began, as `submit tiny.yaml` plans it."""
    path = cli_on_database.folder / "tiny.yaml"
    path.write_text(AGENT)
    plan = make_plan(
        [str(path)],
        base_config=None,
        overrides=OVERRIDES,
        mode=Mode.SMOKE,
        episodes=5,
        total_timesteps=None,
        seeds=1,
        with_base=False,
    )
    provenance = Provenance(versions={}, git_commit=None, git_dirty=None, host="here", command="rlsweep")
    sweep = create_sweep(database, plan, name="first", patterns=["tiny.yaml"], provenance=provenance)
    sweeps.request_stop(database, sweep.id)
    return sweeps.settle(database, sweep.id)


@contextmanager
def repeated(heartbeat: Callable[[], object]) -> Iterator[None]:
    """Call it twice a second, in a thread, while the context lasts."""
    done = threading.Event()

    def live() -> None:
        while not done.wait(0.5):
            heartbeat()

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.xdist_group("ray head")
def test_somebody_at_a_terminal_is_asked(
    cli_on_database: Any, database: Database, stopped: Sweep, ray_head: dict[str, str]
) -> None:
    cli = cli_on_database.with_environ(**ray_head)
    command = ("submit", "tiny.yaml", "--episodes", "5", "--set", *OVERRIDES)
    shown = cli.run_in_terminal(*command, columns=100, typed="y\n")
    assert "Sweep first has the same plan and is unfinished. Resume it instead of beginning anew? [y/N]" in shown
    (listed,) = sweeps.list_recent(database)
    assert (listed.sweep.id, listed.sweep.status) == (stopped.id, SweepStatus.COMPLETED)
    assert "were measured at" not in shown
    with authenticated(ray_head):
        taken = cli.run(*command, "--name", "first", expect=2)
        with database.connect() as connection:
            connection.execute("update training_runs set status = 'stopped', end_reason = 'stopped'")
        again = cli.run(*command, "--name", "first", expect=2)
    assert "unfinished" not in taken.stdout + taken.stderr
    assert "A sweep named 'first' exists already" in taken.stderr, "it would begin another one"
    assert "env steps" not in taken.stdout, "no measurement is waited for"
    assert "Memory and time were measured at 20" in again.stdout, "the other one may be resumed: see what it takes"


@pytest.mark.xdist_group("ray head")
def test_a_trial_that_somebody_trains_is_not_taken_from_them(
    cli_on_database: Any, database: Database, stopped: Sweep, ray_head: dict[str, str]
) -> None:
    cli = cli_on_database.with_environ(**ray_head)
    (run,) = training_runs.of_sweep(database, stopped.id)
    transitions.reopen(database, run.id)
    transitions.begin_attempt(database, run.id, {"host": "elsewhere"})
    progress = recording.Progress(episodes=1, updates=0, env_steps=8)
    batch = recording.Batch(progress=progress, episodes=[], updates=[])
    with repeated(lambda: recording.flush(database, run.id, 1, batch)), authenticated(ray_head):
        refused = cli.run("resume", "first", expect=1).stderr
    assert f"Training run {run.id} is being trained by a process on elsewhere. Stop it first" in refused
    assert training_runs.get(database, run.id).status is RunStatus.RUNNING
    assert training_runs.get(database, run.id).attempt == 1


def test_a_sweep_that_is_driven_names_its_driver(cli_on_database: Any, database: Database, stopped: Sweep) -> None:
    sweeps.take_lease(database, stopped.id, "host:1")
    with repeated(lambda: sweeps.renew_lease(database, stopped.id, "host:1")):
        for command in ("resume", "retry"):
            done = cli_on_database.run(command, "first", expect=1)
            assert re.search(r"Sweep first was driven by host:1 \d s ago\. Waiting 1\d s to see whether", done.stdout)
            assert "is driven by host:1, seen " in done.stderr
            assert "rlsweep status" in done.stderr
    sweeps.release(database, stopped.id, "host:1")
    sweeps.take_lease(database, stopped.id, own_process())
    done = cli_on_database.run("resume", "first", expect=1)
    assert (done.stdout, f"is driven by process {os.getpid()} on " in done.stderr) == ("", True), "it need not wait"
