import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from rlsweep.errors import DriverBusyError, InputError, NotFoundError, StaleAttemptError
from rlsweep.process_identity import own_process
from rlsweep.runs import Checkpoint, EndReason, RunStatus, TrainingRun
from rlsweep.store import recording, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.store.liveness import is_lost_here

pytestmark = pytest.mark.integration

Make = Callable[..., Any]


@pytest.fixture
def run(database: Database, new_run: Make) -> TrainingRun:
    return transitions.create_single(database, new_run(trial_key=None))


def test_a_single_run_belongs_to_no_sweep(database: Database, run: TrainingRun) -> None:
    assert (run.sweep_id, run.trial_key, run.status) == (None, None, RunStatus.PENDING)
    assert run.label == "ppo_agent_lr_high seed 0"
    assert training_runs.get(database, run.id) == run
    assert training_runs.get(database, str(run.id)[:9]) == run


def test_a_run_that_is_not_there(database: Database, run: TrainingRun) -> None:
    for reference in (uuid4(), "zzzz", str(run.id)[:3]):
        with pytest.raises(NotFoundError, match="`rlsweep runs` lists them"):
            training_runs.get(database, reference)
    with pytest.raises(NotFoundError):
        transitions.begin_attempt(database, uuid4(), {})


def test_an_ambiguous_prefix_lists_what_it_fits(database: Database, new_run: Make) -> None:
    ids = [transitions.create_single(database, new_run()).id for _ in range(2)]
    with database.connect() as connection:
        for number, run_id in enumerate(ids):
            connection.execute(
                "update training_runs set id = %s where id = %s",
                [f"beef0000-0000-4000-8000-00000000000{number}", run_id],
            )
    with pytest.raises(NotFoundError, match=r"ambiguous: beef0000-.*, beef0000-"):
        training_runs.get(database, "beef0000")


def test_runs_are_listed_by_what_is_asked(database: Database, new_sweep: Make, new_run: Make) -> None:
    first = sweeps.create(database, new_sweep(), [new_run(agent_id="a"), new_run(agent_id="b")])
    second = sweeps.create(database, new_sweep(), [new_run(agent_id="b"), new_run(agent_id="c")])
    transitions.begin_attempt(database, training_runs.of_sweep(database, first.id)[1].id, {})

    def agents_of(**asked: Any) -> list[str]:
        return [found.agent_id for found in training_runs.list_runs(database, **asked)]

    assert agents_of() == ["b", "c", "a", "b"]
    assert agents_of(limit=3) == ["b", "c", "a"]
    assert agents_of(limit=None) == ["b", "c", "a", "b"]
    assert agents_of(sweep_id=second.id) == ["b", "c"]
    assert agents_of(agent_id="b") == ["b", "b"]
    assert agents_of(agent_id="b", status=RunStatus.RUNNING) == ["b"]
    assert agents_of(sweep_id=second.id, status=RunStatus.RUNNING) == []


def test_a_run_from_start_to_end(database: Database, run: TrainingRun) -> None:
    started = transitions.begin_attempt(database, run.id, {"host": "here"})
    assert started is not None
    assert (started.attempt, started.status, started.metadata) == (1, RunStatus.RUNNING, {"host": "here"})
    assert started.started_at is not None
    assert started.heartbeat_at is not None
    ended = transitions.finish(database, run.id, 1, EndReason.COMPLETED)
    assert (ended.status, ended.error) == (RunStatus.COMPLETED, None)
    assert ended.ended_at is not None
    assert ended.ended_at >= started.started_at
    assert transitions.finish(database, run.id, 1, EndReason.COMPLETED) == ended
    assert transitions.begin_attempt(database, run.id, {}) is None
    with pytest.raises(StaleAttemptError, match="the run is completed"):
        transitions.finish(database, run.id, 1, EndReason.FAILED, "too late")


def test_a_failed_run_is_taken_up_again(database: Database, run: TrainingRun) -> None:
    first = transitions.begin_attempt(database, run.id, {})
    transitions.finish(database, run.id, 1, EndReason.FAILED, "Traceback …")
    assert training_runs.get(database, run.id).error == "Traceback …"
    second = transitions.begin_attempt(database, run.id, {})
    assert first is not None
    assert second is not None
    assert (second.attempt, second.error, second.ended_at) == (2, None, None)
    assert second.started_at == first.started_at


def test_an_older_attempt_cannot_end_the_run(database: Database, run: TrainingRun) -> None:
    transitions.begin_attempt(database, run.id, {})
    transitions.begin_attempt(database, run.id, {})
    with pytest.raises(StaleAttemptError, match="attempt 2 has replaced it"):
        transitions.finish(database, run.id, 1, EndReason.COMPLETED)
    assert training_runs.get(database, run.id).status is RunStatus.RUNNING


def test_a_waiting_run_stops_at_once_and_starts_only_when_reopened(database: Database, run: TrainingRun) -> None:
    stopped = transitions.request_stop(database, run.id)
    assert stopped.status is RunStatus.STOPPED
    assert stopped.stop_requested
    assert transitions.begin_attempt(database, run.id, {}) is None
    reopened = transitions.reopen(database, run.id)
    assert (reopened.status, reopened.stop_requested, reopened.ended_at) == (RunStatus.PENDING, False, None)
    assert transitions.begin_attempt(database, run.id, {}) is not None


def test_a_running_run_is_asked_to_stop_and_ends_by_itself(database: Database, run: TrainingRun) -> None:
    transitions.begin_attempt(database, run.id, {})
    asked = transitions.request_stop(database, run.id)
    assert (asked.status, asked.stop_requested) == (RunStatus.RUNNING, True)
    assert transitions.begin_attempt(database, run.id, {}) is None  # a restarted worker ends quietly
    assert transitions.finish(database, run.id, 1, EndReason.STOPPED).status is RunStatus.STOPPED
    assert transitions.request_stop(database, run.id).status is RunStatus.STOPPED


@pytest.mark.parametrize(("stop_first", "status"), [(False, RunStatus.FAILED), (True, RunStatus.STOPPED)])
def test_a_run_whose_worker_died_is_settled(
    database: Database, run: TrainingRun, stop_first: bool, status: RunStatus
) -> None:
    transitions.begin_attempt(database, run.id, {})
    if stop_first:
        transitions.request_stop(database, run.id)
    lost = transitions.fail_lost(database, run.id, "worker died")
    assert lost.status is status
    assert lost.error == (None if stop_first else "worker died")
    assert transitions.fail_lost(database, run.id, "again") == lost
    with pytest.raises(StaleAttemptError):
        transitions.finish(database, run.id, 1, EndReason.COMPLETED)


def test_every_attempt_knows_whose_weights_the_run_begins_with(database: Database, new_run: Make) -> None:
    run = transitions.create_single(database, new_run(), weights_from="/runs/best.zip")
    for attempt in (1, 2):
        begun = transitions.begin_attempt(database, run.id, {"command": "rlsweep"})
        assert begun is not None
        assert (begun.attempt, begun.weights_from) == (attempt, "/runs/best.zip")


def test_a_completed_run_is_not_reopened(database: Database, run: TrainingRun) -> None:
    transitions.begin_attempt(database, run.id, {})
    transitions.finish(database, run.id, 1, EndReason.COMPLETED)
    with pytest.raises(InputError, match="is completed"):
        transitions.reopen(database, run.id)


def test_a_run_in_good_hands_is_not_reopened(database: Database, run: TrainingRun) -> None:
    transitions.begin_attempt(database, run.id, {"host": "here"})
    with pytest.raises(DriverBusyError, match=rf"being trained by a process on here.*rlsweep stop {str(run.id)[:8]}"):
        transitions.reopen(database, run.id)
    assert training_runs.get(database, run.id).status is RunStatus.RUNNING
    transitions.request_stop(database, run.id)
    be_silent(database, run.id, 16)
    reopened = transitions.reopen(database, run.id)
    assert (reopened.status, reopened.stop_requested) == (RunStatus.PENDING, False)


@pytest.mark.parametrize("stop_first", [False, True])
def test_a_run_whose_process_was_killed_is_settled_once_it_is_silent(
    database: Database, run: TrainingRun, stop_first: bool
) -> None:
    transitions.begin_attempt(database, run.id, {})
    if stop_first:
        transitions.request_stop(database, run.id)
    be_silent(database, run.id, 50)
    assert transitions.end_abandoned(database, run_id=run.id) == []
    (settled,) = transitions.end_abandoned(database, run_id=run.id, patience_seconds=15)
    assert settled == training_runs.get(database, run.id)
    assert (settled.status, settled.end_reason) == (RunStatus.STOPPED, EndReason.ABANDONED)
    assert settled.ended_at is not None
    assert settled.error == transitions.ABANDONED_TEXT
    assert transitions.end_abandoned(database, run_id=run.id, patience_seconds=15) == []


def test_only_silent_runs_of_a_sweep_without_a_driver_are_settled(
    database: Database, new_sweep: Make, new_run: Make
) -> None:
    sweep = sweeps.create(database, new_sweep(), [new_run() for _ in range(3)])
    silent, alive, pending = training_runs.of_sweep(database, sweep.id)
    for each in (silent, alive):
        transitions.begin_attempt(database, each.id, {})
    be_silent(database, silent.id, 61)
    sweeps.take_lease(database, sweep.id, "host:1")
    assert transitions.end_abandoned(database, sweep_id=sweep.id) == []  # its driver knows better
    assert sweeps.lost_driver(database, sweep.id) is None
    with database.connect() as connection:
        connection.execute("update sweeps set heartbeat_at = clock_timestamp() - interval '16 seconds'")
    assert sweeps.lost_driver(database, sweep.id) == "host:1"
    assert [each.id for each in transitions.end_abandoned(database, sweep_id=sweep.id)] == [silent.id]
    after = {each.id: each.status for each in training_runs.of_sweep(database, sweep.id)}
    assert after == {silent.id: RunStatus.STOPPED, alive.id: RunStatus.RUNNING, pending.id: RunStatus.PENDING}


def test_a_run_of_a_sweep_that_is_driven_is_its_drivers(database: Database, new_sweep: Make, new_run: Make) -> None:
    sweep = sweeps.create(database, new_sweep(), [new_run()])
    (run,) = training_runs.of_sweep(database, sweep.id)
    transitions.request_stop(database, run.id)
    sweeps.take_lease(database, sweep.id, "host:1")
    with pytest.raises(DriverBusyError, match="is driven by host:1"):
        transitions.reopen(database, run.id)
    sweeps.release(database, sweep.id, "host:1")
    assert transitions.reopen(database, run.id).status is RunStatus.PENDING


def test_a_driver_takes_up_what_has_one_of_its_statuses(database: Database, new_sweep: Make, new_run: Make) -> None:
    sweep = sweeps.create(database, new_sweep(), [new_run() for _ in range(6)])
    waiting, silent, alive, stopped, failed, done = (run.id for run in training_runs.of_sweep(database, sweep.id))
    for run_id in (silent, alive, failed, done):
        transitions.begin_attempt(database, run_id, {})
    transitions.request_stop(database, stopped)
    transitions.finish(database, failed, 1, EndReason.FAILED, "a mistake")
    transitions.finish(database, done, 1, EndReason.COMPLETED)
    transitions.request_stop(database, silent)
    be_silent(database, silent, 16)
    be_silent(database, alive, 14)
    unfinished = (RunStatus.PENDING, RunStatus.RUNNING, RunStatus.STOPPED)
    assert set(transitions.take_up(database, sweep.id, unfinished)) == {waiting, stopped}
    assert transitions.take_up(database, sweep.id, [RunStatus.RUNNING], lost=[silent, alive]) == [silent]
    assert set(transitions.take_up(database, sweep.id, [RunStatus.FAILED])) == {failed}
    for run in training_runs.of_sweep(database, sweep.id):
        if run.id not in (alive, done):
            assert (run.status, run.stop_requested, run.error) == (RunStatus.PENDING, False, None)
    assert training_runs.get(database, alive).status is RunStatus.RUNNING
    assert training_runs.get(database, done).status is RunStatus.COMPLETED
    be_silent(database, alive, 16)
    assert transitions.take_up(database, sweep.id, [RunStatus.RUNNING]) == [], "its worker is not known to be lost"
    assert transitions.take_up(database, sweep.id, [RunStatus.RUNNING], lost=[alive]) == [alive]


def test_a_run_whose_worker_ended_on_this_host_is_taken_up_at_once(
    database: Database, new_sweep: Make, new_run: Make
) -> None:
    sweep = sweeps.create(database, new_sweep(), [new_run() for _ in range(2)])
    gone, alive = training_runs.of_sweep(database, sweep.id)
    transitions.begin_attempt(database, gone.id, {"process": re.sub(r"\d+$", "1", own_process())})
    transitions.begin_attempt(database, alive.id, {"process": own_process()})
    with pytest.raises(DriverBusyError, match="is being trained"):
        transitions.reopen(database, alive.id)
    both = [gone.id, alive.id]
    lost_here = [run_id for run_id in both if is_lost_here(training_runs.get(database, run_id))]
    assert transitions.take_up(database, sweep.id, [RunStatus.RUNNING], lost=both, gone=lost_here) == [gone.id]
    transitions.begin_attempt(database, gone.id, {"process": re.sub(r"\d+$", "1", own_process())})
    assert transitions.reopen(database, gone.id).status is RunStatus.PENDING


def test_runs_that_begin_anew_forget_their_checkpoints(database: Database, new_sweep: Make, new_run: Make) -> None:
    sweep = sweeps.create(database, new_sweep(), [new_run() for _ in range(2)])
    again, other = (run.id for run in training_runs.of_sweep(database, sweep.id))
    for run_id in (again, other):
        record_checkpoint(database, run_id, sha256=run_id.hex)
    transitions.finish(database, again, 1, EndReason.FAILED)
    assert transitions.take_up(database, sweep.id, [RunStatus.FAILED], from_start=True) == [again]
    assert [run.begins_anew for run in training_runs.of_sweep(database, sweep.id)] == [True, False]
    assert training_runs.latest_checkpoint(database, again) is None
    assert training_runs.latest_checkpoint(database, other) is not None


def test_a_file_is_known_by_its_checksum(database: Database, new_run: Make) -> None:
    runs = [transitions.create_single(database, new_run()) for _ in range(2)]
    for run in runs:
        record_checkpoint(database, run.id, sha256=run.id.hex)
    assert training_runs.of_checksum(database, "c0ffee") is None
    for run in runs:
        assert training_runs.of_checksum(database, run.id.hex) == training_runs.get(database, run.id)


def record_checkpoint(database: Database, run_id: UUID, *, sha256: str) -> None:
    """Take the run up and put one checkpoint on its record."""
    run = transitions.begin_attempt(database, run_id, {})
    assert run is not None
    checkpoint = Checkpoint(episode=1, env_steps=8, uri=f"/{run_id}/a.zip", sha256=sha256, bytes=1)
    progress = recording.Progress(episodes=1, updates=0, env_steps=8)
    batch = recording.Batch(progress=progress, episodes=[], updates=[], checkpoints=[checkpoint])
    recording.flush(database, run_id, run.attempt, batch)


def be_silent(database: Database, run_id: UUID, seconds: int) -> None:
    """Make the run's last sign of life so old."""
    with database.connect() as connection:
        connection.execute(
            "update training_runs set heartbeat_at = clock_timestamp() - make_interval(secs => %s) where id = %s",
            [seconds, run_id],
        )


def test_what_no_text_of_postgresql_can_hold_is_written_as_escapes(database: Database, new_run: Make) -> None:
    run = transitions.create_single(database, new_run(trial_key=None))
    transitions.begin_attempt(database, run.id, {})
    said = "é, half a pair \udc80 and \0"
    batch = recording.Batch(progress=recording.Progress(episodes=0, updates=0, env_steps=0), facts={"warning": said})
    recording.flush(database, run.id, 1, batch)
    ended = transitions.finish(database, run.id, 1, EndReason.FAILED, said)
    assert ended.error == ended.metadata["warning"] == r"é, half a pair \udc80 and \x00"
