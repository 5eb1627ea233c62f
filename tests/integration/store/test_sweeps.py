import os
import re
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from rlsweep.errors import DriverBusyError, InputError, NotFoundError
from rlsweep.process_identity import own_process
from rlsweep.runs import EndReason, NewRun, RunStatus
from rlsweep.store import sweep_listing, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.sweep_records import NewSweep, SweepStatus

pytestmark = pytest.mark.integration

Make = Callable[..., Any]


def test_what_is_planned_is_what_is_read(database: Database, new_sweep: Make, new_run: Make) -> None:
    planned: NewSweep = new_sweep(
        seeds=(3, 4),
        git_commit="abc",
        git_dirty=True,
        patterns=("a*.yaml", "b.yaml"),
        overrides=("gamma=0.9", "n_steps=8"),
        base_config_path="/base.yaml",
    )
    runs: list[NewRun] = [new_run(seed=3), new_run(seed=4, sweep_variant=None, config={"nested": {"list": [1, None]}})]
    sweep = sweeps.create(database, planned, runs)
    assert {name: getattr(sweep, name) for name in planned.__dataclass_fields__} == {
        name: getattr(planned, name) for name in planned.__dataclass_fields__
    }
    assert (sweep.status, sweep.finished_at, sweep.driver) == (SweepStatus.PENDING, None, None)
    assert sweeps.get(database, sweep.id) == sweep
    written = training_runs.of_sweep(database, sweep.id)
    for run, expected in zip(written, runs, strict=True):
        assert {name: getattr(run, name) for name in expected.__dataclass_fields__} == {
            name: getattr(expected, name) for name in expected.__dataclass_fields__
        }
        assert (run.sweep_id, run.status, run.attempt, run.episodes) == (sweep.id, RunStatus.PENDING, 0, 0)
        assert not run.stop_requested


def test_a_name_is_taken_once_and_nothing_is_written_the_second_time(
    database: Database, new_sweep: Make, new_run: Make
) -> None:
    sweeps.create(database, new_sweep(name="lr-study"), [new_run()])
    with pytest.raises(InputError, match="A sweep named 'lr-study' exists already"):
        sweeps.create(database, new_sweep(name="lr-study"), [new_run()])
    with pytest.raises(InputError, match="A sweep named 'lr-study' exists already"):
        sweeps.check_free(database, "lr-study")
    sweeps.check_free(database, "lr-study-2")
    assert len(sweeps.list_recent(database)) == 1
    assert len(training_runs.list_runs(database)) == 1


def test_ten_thousand_runs_are_planned_quickly(
    database: Database, new_sweep: Make, new_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def counted(kind: type, name: str) -> None:
        call = getattr(kind, name)
        monkeypatch.setattr(kind, name, lambda *given, **more: calls.append(name) or call(*given, **more))

    for kind, name in ((psycopg.Connection, "execute"), (psycopg.Cursor, "execute"), (psycopg.Cursor, "executemany")):
        counted(kind, name)
    config = {"agent": {f"hyperparameter_{number}": number / 7 for number in range(30)}}
    measured = []
    for count in (1_000, 10_000):
        runs = [new_run(config=config) for _ in range(count)]
        calls.clear()
        start = time.process_time()
        sweep = sweeps.create(database, new_sweep(), runs)
        measured.append((time.process_time() - start, list(calls)))
    read = training_runs.of_sweep(database, sweep.id)
    assert [run.trial_key for run in read] == [run.trial_key for run in runs]
    (seconds, few), (tenfold, many) = measured
    print(f"CPU time of 1,000 runs {seconds:.2f} s, of 10,000 runs {tenfold:.2f} s; {many}")
    assert many == few, "statements do not grow with the number of runs"
    assert tenfold < 30 * seconds


def test_a_sweep_is_found_by_name_id_prefix_and_latest(database: Database, new_sweep: Make) -> None:
    first = sweeps.create(database, new_sweep(name="first"), [])
    second = sweeps.create(database, new_sweep(name="second"), [])
    for reference in ("first", str(first.id), first.id, str(first.id)[:8], first.id.hex[:10].upper()):
        assert sweeps.get(database, reference).id == first.id
    assert sweeps.get(database, "latest").id == second.id
    named_like_an_id = sweeps.create(database, new_sweep(name=str(first.id)[:6]), [])
    assert sweeps.get(database, str(first.id)[:6]).id == named_like_an_id.id


def test_a_sweep_that_is_not_there_is_answered_with_what_is(database: Database, new_sweep: Make) -> None:
    with pytest.raises(NotFoundError, match="`rlsweep sweeps` lists them"):
        sweeps.get(database, "latest")
    sweep = sweeps.create(database, new_sweep(name="gamma-study"), [])
    with pytest.raises(NotFoundError, match=r"'gama-study'. Did you mean gamma-study\?"):
        sweeps.get(database, "gama-study")
    with pytest.raises(NotFoundError):
        sweeps.get(database, str(sweep.id)[:3])  # too short to be meant as an id


def test_an_ambiguous_prefix_lists_what_it_fits(database: Database, new_sweep: Make) -> None:
    for name in ("a", "b"):
        sweeps.create(database, new_sweep(name=name), [])
    with database.connect() as connection:
        connection.execute("update sweeps set id = %s where name = 'a'", ["abcd0000-0000-4000-8000-000000000001"])
        connection.execute("update sweeps set id = %s where name = 'b'", ["abcd0000-0000-4000-8000-000000000002"])
    with pytest.raises(NotFoundError, match=r"ambiguous: abcd0000-.*, abcd0000-"):
        sweeps.get(database, "abcd")
    assert sweeps.get(database, "abcd0000-0000-4000-8000-000000000002").name == "b"


def test_the_newest_come_first_with_runs_counted(database: Database, new_sweep: Make, new_run: Make) -> None:
    old = sweeps.create(database, new_sweep(), [new_run() for _ in range(3)])
    new = sweeps.create(database, new_sweep(), [])
    finish_all(database, old.id, [EndReason.COMPLETED, EndReason.FAILED])
    assert [listed.sweep.id for listed in sweeps.list_recent(database)] == [new.id, old.id]
    assert [listed.runs_by_status for listed in sweeps.list_recent(database)] == [
        {},
        {RunStatus.COMPLETED: 1, RunStatus.FAILED: 1, RunStatus.PENDING: 1},
    ]
    assert [listed.sweep.id for listed in sweeps.list_recent(database, limit=1)] == [new.id]


@pytest.mark.parametrize(
    ("ends", "status"),
    [
        ([EndReason.COMPLETED, EndReason.COMPLETED], SweepStatus.COMPLETED),
        ([EndReason.COMPLETED, EndReason.STOPPED], SweepStatus.STOPPED),
        ([EndReason.FAILED, EndReason.STOPPED], SweepStatus.FAILED),
        ([EndReason.COMPLETED], SweepStatus.RUNNING),
    ],
)
def test_a_sweep_ends_as_its_runs_did(
    database: Database, new_sweep: Make, new_run: Make, ends: list[EndReason], status: SweepStatus
) -> None:
    sweep = sweeps.create(database, new_sweep(), [new_run(), new_run()])
    sweeps.take_lease(database, sweep.id, "host:1")
    finish_all(database, sweep.id, ends)
    settled = sweeps.settle(database, sweep.id)
    assert settled.status is status
    assert (settled.finished_at is not None) == status.is_finished
    assert sweeps.settle(database, sweep.id) == settled


def test_a_stop_ends_what_waits_and_asks_what_runs(database: Database, new_sweep: Make, new_run: Make) -> None:
    sweep = sweeps.create(database, new_sweep(), [new_run() for _ in range(4)])
    completed, running, *_ = training_runs.of_sweep(database, sweep.id)
    for run in (completed, running):
        transitions.begin_attempt(database, run.id, {})
    transitions.finish(database, completed.id, 1, EndReason.COMPLETED)

    assert sweeps.request_stop(database, sweep.id) == {RunStatus.STOPPED: 2, RunStatus.RUNNING: 1}
    after = training_runs.of_sweep(database, sweep.id)
    assert [run.status for run in after] == ["completed", "running", "stopped", "stopped"]
    assert [run.stop_requested for run in after] == [False, True, True, True]
    assert [run.ended_at is None for run in after] == [False, True, False, False]
    assert sweeps.request_stop(database, sweep.id) == {RunStatus.STOPPED: 0, RunStatus.RUNNING: 1}


def test_one_driver_at_a_time(database: Database, new_sweep: Make) -> None:
    sweep = sweeps.create(database, new_sweep(), [])
    assert sweeps.take_lease(database, sweep.id, "host:1").status is SweepStatus.RUNNING
    with pytest.raises(DriverBusyError, match=r"driven by host:1, seen 0 s ago"):
        sweeps.take_lease(database, sweep.id, "host:2")
    sweeps.take_lease(database, sweep.id, "host:1")
    sweeps.renew_lease(database, sweep.id, "host:1")

    sweeps.release(database, sweep.id, "host:2")  # holds nothing: nothing happens
    with pytest.raises(DriverBusyError):
        sweeps.take_lease(database, sweep.id, "host:2")
    sweeps.release(database, sweep.id, "host:1")
    assert sweeps.take_lease(database, sweep.id, "host:2").driver == "host:2"


def test_a_silent_driver_loses_the_sweep(database: Database, new_sweep: Make) -> None:
    sweep = sweeps.create(database, new_sweep(), [])
    sweeps.take_lease(database, sweep.id, "host:1")
    for seconds, busy in ((14, True), (16, False)):
        with database.connect() as connection:
            connection.execute("update sweeps set heartbeat_at = now() - make_interval(secs => %s)", [seconds])
        if busy:
            with pytest.raises(DriverBusyError, match="seen 14 s ago"):
                sweeps.take_lease(database, sweep.id, "host:2")
        else:
            sweeps.take_lease(database, sweep.id, "host:2")
    with pytest.raises(DriverBusyError, match="no longer driven by host:1, but by host:2"):
        sweeps.renew_lease(database, sweep.id, "host:1")


def test_a_driver_that_ended_on_this_host_loses_the_sweep_at_once(
    database: Database, new_sweep: Make, new_run: Make
) -> None:
    plan = [new_run()]
    sweep = sweeps.create(database, new_sweep(), plan)
    gone = re.sub(r"\d+$", "1.ab12", own_process())  # this process id, begun at another time
    alive = own_process() + ".ab12"
    for driver, is_busy in ((alive, True), (gone, False)):
        with database.connect() as connection:
            connection.execute("update sweeps set driver = %s, heartbeat_at = clock_timestamp()", [driver])
        assert (sweeps.find_unfinished(database, plan) is None) == is_busy
        assert (sweeps.lost_driver(database, sweep.id) is None) == is_busy
        assert (sweeps.live_driver(database, sweep.id) is not None) == is_busy
        if is_busy:
            for call in (sweeps.check_undriven, partial(sweeps.take_lease, driver="host:2")):
                with pytest.raises(
                    DriverBusyError, match=rf"driven by process {os.getpid()} on .*`rlsweep stop \w+`\.$"
                ):
                    call(database, sweep.id)
    sweeps.check_undriven(database, sweep.id)
    assert sweeps.assign(database, sweep.id, resources={}, address=None).driver is None
    with database.connect() as connection:
        connection.execute("update sweeps set driver = %s, heartbeat_at = clock_timestamp()", [gone])
    assert sweeps.take_lease(database, sweep.id, "host:2").driver == "host:2"
    with pytest.raises(DriverBusyError, match=r"if that process has ended, try again in 1\d s"):
        sweeps.check_undriven(database, sweep.id)


def test_a_sweep_that_is_handed_over_waits_for_its_new_driver(database: Database, new_sweep: Make) -> None:
    sweep = sweeps.create(database, new_sweep(), [])
    assigned = sweeps.assign(database, sweep.id, resources={"cpus_per_trial": 2.0}, address="http://head:8265")
    assert (assigned.status, assigned.address) == (SweepStatus.PENDING, "http://head:8265")
    assert assigned.resources == {"cpus_per_trial": 2.0}
    sweeps.take_lease(database, sweep.id, "host:1")
    with pytest.raises(DriverBusyError):
        sweeps.assign(database, sweep.id, resources={}, address=None)

    with database.connect() as connection:
        connection.execute("update sweeps set heartbeat_at = now() - interval '1 minute'")
    assert sweeps.lost_driver(database, sweep.id) == "host:1"
    assigned = sweeps.assign(database, sweep.id, resources={}, address=None)
    assert (assigned.status, assigned.address, assigned.driver) == (SweepStatus.PENDING, None, None)
    assert sweeps.lost_driver(database, sweep.id) is None, "whoever follows it is not told of the one before"
    with pytest.raises(NotFoundError):
        sweeps.assign(database, uuid4(), resources={}, address=None)


def test_a_sweep_that_is_stopped_before_its_driver_begins_is_not_begun(
    database: Database, new_sweep: Make, new_run: Make
) -> None:
    sweep = sweeps.create(database, new_sweep(), [new_run()])
    sweeps.request_stop(database, sweep.id)
    assert sweeps.is_to_stop(database, sweep.id)
    sweeps.assign(database, sweep.id, resources={}, address=None)
    assert not sweeps.is_to_stop(database, sweep.id), "whoever hands it over wants it driven"
    assert sweeps.request_stop(database, sweep.id) == {RunStatus.STOPPED: 0, RunStatus.RUNNING: 0}
    assert sweeps.is_to_stop(database, sweep.id)
    assert transitions.take_up(database, sweep.id, {RunStatus.STOPPED}) == []
    sweeps.assign(database, sweep.id, resources={}, address=None)
    assert len(transitions.take_up(database, sweep.id, {RunStatus.STOPPED})) == 1


def test_a_stop_that_comes_while_a_driver_waits_for_lost_workers_holds(
    database: Database, new_sweep: Make, new_run: Make
) -> None:
    sweep = sweeps.create(database, new_sweep(), [new_run()])
    (run,) = training_runs.of_sweep(database, sweep.id)
    transitions.begin_attempt(database, run.id, {})
    with database.connect() as connection:
        connection.execute("update training_runs set heartbeat_at = clock_timestamp() - interval '20 seconds'")
    sweeps.request_stop(database, sweep.id)
    assert transitions.take_up(database, sweep.id, {RunStatus.RUNNING}, lost={run.id}) == []
    assert training_runs.get(database, run.id).stop_requested


def test_a_clock_that_was_set_back_keeps_no_dead_driver_or_worker_alive(
    database: Database, new_sweep: Make, new_run: Make
) -> None:
    sweep = sweeps.create(database, new_sweep(), [new_run()])
    (run,) = training_runs.of_sweep(database, sweep.id)
    transitions.begin_attempt(database, run.id, {})
    sweeps.take_lease(database, sweep.id, "host:1")
    with database.connect() as connection:
        for table in ("sweeps", "training_runs"):
            connection.execute(f"update {table} set heartbeat_at = clock_timestamp() + interval '2 hours'")
    assert sweeps.lost_driver(database, sweep.id) == "host:1"
    sweeps.check_undriven(database, sweep.id)
    assert [each.id for each in transitions.end_abandoned(database, run_id=run.id)] == [run.id]
    assert sweeps.take_lease(database, sweep.id, "host:2").driver == "host:2"


def test_a_driver_that_leaves_an_unfinished_sweep_leaves_it_waiting(
    database: Database, new_sweep: Make, new_run: Make
) -> None:
    sweep = sweeps.create(database, new_sweep(), [new_run()])
    sweeps.take_lease(database, sweep.id, "host:1")
    with pytest.raises(DriverBusyError, match=r"driven by host:1, seen 0 s ago.*rlsweep stop"):
        sweeps.check_undriven(database, sweep.id)
    sweeps.release(database, sweep.id, "host:1")
    sweeps.check_undriven(database, sweep.id)
    assert sweeps.get(database, sweep.id).status is SweepStatus.PENDING


def test_an_unfinished_sweep_is_found_by_its_plan(database: Database, new_sweep: Make, new_run: Make) -> None:
    plan = [new_run(seed=0), new_run(seed=1)]
    other = [replace(run, config={"agent": {"learning_rate": 0.5}}) for run in plan]
    assert sweeps.find_unfinished(database, plan) is None
    for runs in (plan[:1], [*plan, new_run()], other):
        sweeps.create(database, new_sweep(), runs)
    transitions.create_single(database, plan[0])
    assert sweeps.find_unfinished(database, plan) is None
    first, second = (sweeps.create(database, new_sweep(), plan) for _ in range(2))
    assert sweeps.find_unfinished(database, plan) == second
    assert sweeps.find_unfinished(database, plan[::-1]) == second
    sweeps.take_lease(database, second.id, "host:1")
    assert sweeps.find_unfinished(database, plan) == first
    sweeps.request_stop(database, first.id)
    sweeps.settle(database, first.id)
    assert sweeps.find_unfinished(database, plan) == sweeps.get(database, first.id)
    finish_all(database, second.id, [EndReason.COMPLETED, EndReason.FAILED])
    sweeps.release(database, second.id, "host:1")
    assert sweeps.find_unfinished(database, plan) == sweeps.get(database, first.id)


def finish_all(database: Database, sweep_id: UUID, ends: list[EndReason]) -> None:
    for run, reason in zip(training_runs.of_sweep(database, sweep_id), ends, strict=False):
        transitions.begin_attempt(database, run.id, {})
        transitions.finish(database, run.id, 1, reason)


def test_a_sweep_that_was_deleted_in_the_meantime_is_not_found(
    database: Database, new_sweep: Make, new_run: Make
) -> None:
    sweep = sweeps.create(database, new_sweep(), [new_run()])
    with pytest.raises(NotFoundError):
        sweep_listing.standing(database, replace(sweep, id=uuid4()))
