"""Runs that pause: what becomes of them, and of their sweep, when they are scheduled, stopped, reopened or lost."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from rlsweep.analysis.progress import done_by_status
from rlsweep.errors import RlsweepError, StaleAttemptError
from rlsweep.runs import EndReason, RunStatus, TrainingRun
from rlsweep.store import recording, sweep_listing, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.sweep_records import SweepStatus

pytestmark = pytest.mark.integration

Make = Callable[..., Any]


@pytest.fixture
def run(database: Database, new_run: Make) -> TrainingRun:
    return transitions.create_single(database, new_run(trial_key=None))


def paused(database: Database, run_id: UUID, *, pause_at: float = 0.5) -> TrainingRun:
    """Set the run to pause at a share of its budget, and let its next attempt end there."""
    with database.connect() as connection:
        assert transitions.schedule(connection, run_id, pause_at=pause_at)
    started = transitions.begin_attempt(database, run_id, {})
    assert started is not None
    assert started.pause_at == pause_at
    return transitions.finish(database, run_id, started.attempt, EndReason.PAUSED)


def test_a_paused_run_has_ended_and_nobody_runs_it_before_it_is_scheduled(database: Database, run: TrainingRun) -> None:
    ended = paused(database, run.id)
    assert (ended.status, ended.end_reason, ended.pause_at) == (RunStatus.PAUSED, EndReason.PAUSED, 0.5)
    assert ended.status.is_finished
    assert transitions.finish(database, run.id, 1, EndReason.PAUSED) == ended
    assert transitions.begin_attempt(database, run.id, {}) is None  # as by a trial that Tune starts again
    assert transitions.fail_lost(database, run.id, "its process died after the pause") == ended
    with pytest.raises(StaleAttemptError, match="the run is paused"):
        recording.flush(
            database, run.id, 1, recording.Batch(progress=recording.Progress(episodes=0, updates=0, env_steps=0))
        )
    for pause_at in (0.75, None):
        with database.connect() as connection:
            assert transitions.schedule(connection, run.id, pause_at=pause_at)
        again = training_runs.get(database, run.id)
        assert (again.status, again.pause_at, again.end_reason, again.ended_at) == (
            RunStatus.PENDING, pause_at, None, None,
        )  # fmt: skip


@pytest.mark.parametrize("pause_at", [0.0, 1.0, -0.5])
def test_a_pause_lies_within_the_budget(database: Database, new_run: Make, pause_at: float) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        transitions.create_single(database, new_run(pause_at=pause_at))


def test_a_killed_run_keeps_its_pause_and_a_reopened_one_trains_to_its_end(
    database: Database, new_run: Make, new_sweep: Make
) -> None:
    sweep = sweeps.create(database, new_sweep(), [new_run(pause_at=0.5), new_run(trial_key="other")])
    killed, other = training_runs.of_sweep(database, sweep.id)
    assert (killed.pause_at, other.pause_at) == (0.5, None)
    transitions.begin_attempt(database, killed.id, {})
    ended = transitions.end_abandoned(database, sweep_id=sweep.id, patience_seconds=-1)
    assert [run.pause_at for run in ended] == [0.5]
    transitions.take_up(database, sweep.id, {RunStatus.STOPPED})
    assert training_runs.get(database, killed.id).pause_at == 0.5
    assert paused(database, killed.id).status is RunStatus.PAUSED
    assert transitions.reopen(database, killed.id).pause_at is None


@pytest.mark.parametrize("whole_sweep", [True, False])
def test_a_stop_ends_a_paused_run(database: Database, new_run: Make, new_sweep: Make, whole_sweep: bool) -> None:
    sweep = sweeps.create(database, new_sweep(), [new_run()])
    (run,) = training_runs.of_sweep(database, sweep.id)
    at_its_pause = paused(database, run.id)
    if whole_sweep:
        assert sweeps.request_stop(database, sweep.id)[RunStatus.STOPPED] == 1
    else:
        transitions.request_stop(database, run.id)
    stopped = training_runs.get(database, run.id)
    assert (stopped.status, stopped.end_reason) == (RunStatus.STOPPED, EndReason.STOPPED)
    assert (stopped.ended_at, stopped.pause_at) == (at_its_pause.ended_at, 0.5)
    assert sweeps.settle(database, sweep.id).status is SweepStatus.STOPPED
    with database.connect() as connection:
        assert transitions.schedule(connection, run.id, pause_at=None) is not whole_sweep
    assert training_runs.get(database, run.id).status is (RunStatus.STOPPED if whole_sweep else RunStatus.PENDING)


def test_a_sweep_of_completed_and_paused_runs_is_completed_and_a_stop_leaves_it_so(
    database: Database, new_run: Make, new_sweep: Make
) -> None:
    planned = [new_run(trial_key=str(number)) for number in range(2)]
    sweep = sweeps.create(database, new_sweep(), planned)
    first, second = training_runs.ids_of_sweep(database, sweep.id)
    paused(database, first)
    assert sweeps.settle(database, sweep.id).status is SweepStatus.PENDING
    transitions.begin_attempt(database, second, {})
    transitions.finish(database, second, 1, EndReason.COMPLETED)
    assert sweeps.settle(database, sweep.id).status is SweepStatus.COMPLETED
    assert sum(sweeps.request_stop(database, sweep.id).values()) == 0
    assert training_runs.get(database, first).status is RunStatus.PAUSED
    assert training_runs.unfinished_ids(database, sweep.id) == []
    assert sweeps.find_unfinished(database, planned) is None  # an equal sweep is a new one
    for statuses in ({RunStatus.PENDING, RunStatus.RUNNING, RunStatus.STOPPED}, {RunStatus.FAILED}):
        assert transitions.take_up(database, sweep.id, statuses) == []


@pytest.mark.parametrize("status", ["running", "completed", "failed"])
def test_only_a_run_that_may_continue_is_scheduled(database: Database, run: TrainingRun, status: str) -> None:
    transitions.begin_attempt(database, run.id, {})
    if status != "running":
        transitions.finish(database, run.id, 1, EndReason(status))
    with database.connect() as connection, pytest.raises(RlsweepError, match=f"is {status}; only a pending"):
        transitions.schedule(connection, run.id, pause_at=0.5)


def test_a_sweeps_progress_is_that_of_what_its_runs_are_to_train(
    database: Database, new_run: Make, new_sweep: Make
) -> None:
    config = {"budget": {"episodes": None, "total_timesteps": 1000}}
    planned = [new_run(trial_key=str(number), config=config, pause_at=0.5) for number in range(4)]
    sweep = sweeps.create(database, new_sweep(), planned)
    running, beyond, at_its_pause, _ = training_runs.ids_of_sweep(database, sweep.id)
    for run_id, env_steps in ((running, 250), (beyond, 510)):
        transitions.begin_attempt(database, run_id, {})
        progress = recording.Progress(episodes=0, updates=0, env_steps=env_steps)
        recording.flush(database, run_id, 1, recording.Batch(progress=progress))
    paused(database, at_its_pause)
    standing = sweep_listing.standing(database, sweep)
    assert standing.runs_by_status == {RunStatus.RUNNING: 2, RunStatus.PAUSED: 1, RunStatus.PENDING: 1}
    assert standing.trained[RunStatus.RUNNING] == (0.5 + 1) / 2
    done = done_by_status(standing.runs_by_status, standing.trained)
    assert done == {RunStatus.RUNNING: 0.5 + 1, RunStatus.PAUSED: 1, RunStatus.PENDING: 0}
