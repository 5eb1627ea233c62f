"""Who may go on with a sweep: somebody at a terminal who is asked, and nobody while others are at work on it."""

import threading
from typing import Any

import pytest

from rlsweep.attempts.provenance import Provenance
from rlsweep.config.run import Mode
from rlsweep.planning.plan import make_plan
from rlsweep.planning.submission import create_sweep
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


def test_somebody_at_a_terminal_is_asked(cli_on_database: Any, database: Database, stopped: Sweep) -> None:
    command = ("submit", "tiny.yaml", "--episodes", "5", "--set", *OVERRIDES)
    shown = cli_on_database.run_in_terminal(*command, columns=100, typed="y\n")
    assert "Sweep first has the same plan and is unfinished. Resume it instead of beginning anew? [y/N]" in shown
    (listed,) = sweeps.list_recent(database)
    assert (listed.sweep.id, listed.sweep.status) == (stopped.id, SweepStatus.COMPLETED)
    assert "were measured at" not in shown
    again = cli_on_database.run_in_terminal(*command, columns=100)
    assert "unfinished" not in again
    assert "Memory and time were measured at 20" in again
    assert len(sweeps.list_recent(database)) == 2


def test_a_trial_that_somebody_trains_is_not_taken_from_them(
    cli_on_database: Any, database: Database, stopped: Sweep
) -> None:
    (run,) = training_runs.of_sweep(database, stopped.id)
    transitions.reopen(database, run.id)
    transitions.begin_attempt(database, run.id, {"host": "elsewhere"})
    done = threading.Event()

    def live() -> None:
        progress = recording.Progress(episodes=1, updates=0, env_steps=8)
        while not done.wait(0.5):
            recording.flush(database, run.id, 1, recording.Batch(progress=progress, episodes=[], updates=[]))

    worker = threading.Thread(target=live)
    worker.start()
    try:
        refused = cli_on_database.run_process("resume", "first", expect=1).stderr
    finally:
        done.set()
        worker.join()
    assert f"Training run {run.id} is being trained by a process on elsewhere. Stop it first" in refused
    assert training_runs.get(database, run.id).status is RunStatus.RUNNING
    assert training_runs.get(database, run.id).attempt == 1


def test_a_sweep_that_is_driven_names_its_driver(cli_on_database: Any, database: Database, stopped: Sweep) -> None:
    for command in ("resume", "retry"):
        sweeps.take_lease(database, stopped.id, "host:1")
        refused = cli_on_database.run(command, "first", expect=1).stderr
        assert "is driven by host:1, seen " in refused
        assert "rlsweep status" in refused
