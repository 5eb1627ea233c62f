"""All changes of a training run's status: create, begin an attempt, finish, stop, abandon, reopen, schedule."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from rlsweep.errors import InputError, RlsweepError, StaleAttemptError
from rlsweep.runs import Actor, Counters, EndReason, NewRun, RunStatus, TrainingRun
from rlsweep.store.database import Connection, Database
from rlsweep.store.liveness import LEASE_PATIENCE_SECONDS, RUN_PATIENCE_SECONDS, check_no_driver, check_no_worker
from rlsweep.store.queries import load
from rlsweep.store.records import missing, storable
from rlsweep.store.training_runs import read_many, read_one

ABANDONED_TEXT = "The worker was lost. Its data is kept; `rlsweep resume` continues it."

_SQL = load("transitions")
_RECORDING = load("recording")


def create_single(database: Database, run: NewRun, *, weights_from: str | None = None) -> TrainingRun:
    """Write a run without a sweep, as pending.

    weights_from: path or URI of the checkpoint whose policy weights it begins with
    """
    with database.connect() as connection:
        (run_id,) = insert(connection, None, [run])
        connection.execute(_SQL["set_weights_from"], {"id": run_id, "weights_from": weights_from})
        return read_one(connection, run_id)


def insert(
    connection: Connection, sweep_id: UUID | None, runs: Sequence[NewRun], *, first_position: int = 1
) -> list[UUID]:
    """Write planned runs within a transaction; return their ids in the given order.

    first_position: place of the first one in its sweep's plan
    """
    ids = [uuid4() for _ in runs]
    connection.execute(
        _SQL["insert_runs"],
        {
            "sweep_id": sweep_id,
            "first_position": first_position,
            "id": ids,
            "trial_key": [run.trial_key for run in runs],
            "agent_id": [run.agent_id for run in runs],
            "algorithm": [run.algorithm for run in runs],
            "version": [run.version for run in runs],
            "sweep_variant": [run.sweep_variant for run in runs],
            "config_name": [run.config_name for run in runs],
            "config_short_name": [run.config_short_name for run in runs],
            "config_path": [run.config_path for run in runs],
            "config": [Jsonb(run.config) for run in runs],
            "config_hash": [run.config_hash for run in runs],
            "seed": [run.seed for run in runs],
            "pause_at": [run.pause_at for run in runs],
        },
    )
    return ids


def begin_attempt(
    database: Database, run_id: UUID, metadata: dict[str, Any], *, actor: Actor | None = None
) -> TrainingRun | None:
    """Begin the run's next attempt and mark the run as running.

    metadata: replaces the metadata of an earlier attempt, except the first attempt's command (`first_command`)
    actor: the Ray actor that trains it; None without Ray

    Earlier attempts may no longer write. A failed run needs no `reopen`. Returns None if nothing is to be done: the run
    is completed, is paused, or has a stop request (call `reopen` or `schedule` first on a paused or stopped run).
    """
    with database.connect() as connection:
        run = lock(connection, run_id)
        if run.status in (RunStatus.COMPLETED, RunStatus.PAUSED) or run.stop_requested:
            if run.status is RunStatus.PENDING:
                _end(connection, run, EndReason.STOPPED, None)
            return None
        values = {
            "id": run_id,
            "metadata": Jsonb(metadata),
            "actor_cluster": actor and actor.cluster,
            "actor_id": actor and actor.id,
            "actor_node": actor and actor.node,
            "actor_pid": actor and actor.pid,
        }
        connection.execute(_SQL["begin_attempt"], values)
        return read_one(connection, run_id)


def finish(
    database: Database,
    run_id: UUID,
    attempt: int,
    reason: EndReason,
    error: str | None = None,
    *,
    final: Counters | None = None,
) -> TrainingRun:
    """End the run; called by its worker. A repeated call changes nothing. A run that is to stop stops at its pause.

    final: counters of a completed or paused run; rows of earlier attempts beyond them are deleted

    Raises StaleAttemptError if a newer attempt exists, or the run has ended in another way meanwhile.
    """
    with database.connect() as connection:
        run = lock(connection, run_id)
        if reason is EndReason.PAUSED and run.stop_requested:
            reason = EndReason.STOPPED
        if run.attempt == attempt and run.status is reason.status:
            return read_one(connection, run_id)
        run = check_attempt(connection, run, attempt)
        if final is not None:
            counters = {"episodes": final.episodes, "updates": final.updates, "env_steps": final.env_steps}
            connection.execute(_RECORDING["drop_beyond_end"], {"run_id": run_id, "attempt": attempt, **counters})
            connection.execute(_SQL["set_counters"], {"id": run_id, **counters})
        return _end(connection, run, reason, error)


def request_stop(database: Database, run_id: UUID) -> TrainingRun:
    """Stop a pending or paused run at once, request a running one to stop; do not change any other."""
    with database.connect() as connection:
        run = lock(connection, run_id)
        if run.status in (RunStatus.PENDING, RunStatus.RUNNING, RunStatus.PAUSED):
            connection.execute(_SQL["ask_run_to_stop"], {"id": run_id})
        if run.status in (RunStatus.PENDING, RunStatus.PAUSED):
            return _end(connection, run, EndReason.STOPPED, None)
        return read_one(connection, run_id)


def request_stop_of_sweep(connection: Connection, sweep_id: UUID) -> list[RunStatus]:
    """Stop the sweep's pending runs, request its running ones to stop; return the new statuses of these runs.

    Paused runs are stopped too, except in a completed sweep, which trains no more of them.
    """
    rows = connection.execute(_SQL["stop_runs_of_sweep"], {"sweep_id": sweep_id}).fetchall()
    return [RunStatus(row["status"]) for row in rows]


def fail_lost(database: Database, run_id: UUID, error: str) -> TrainingRun:
    """End a run whose worker died: stopped if a stop was requested, else failed; do not change a finished one."""
    with database.connect() as connection:
        run = lock(connection, run_id)
        if run.status.is_finished:
            return read_one(connection, run_id)
        if run.stop_requested:
            return _end(connection, run, EndReason.STOPPED, None)
        return _end(connection, run, EndReason.LOST, error)


def end_abandoned(
    database: Database,
    *,
    sweep_id: UUID | None = None,
    run_id: UUID | None = None,
    patience_seconds: float = RUN_PATIENCE_SECONDS,
) -> list[TrainingRun]:
    """End abandoned runs, of one sweep or one run, as stopped; return them.

    A run is abandoned if its worker wrote no heartbeat for `patience_seconds`, by the database's clock, and its sweep
    has no live driver. `rlsweep resume` continues it.
    """
    with database.connect() as connection:
        rows = connection.execute(
            _SQL["end_abandoned_runs"],
            {
                "sweep_id": sweep_id,
                "id": run_id,
                "patience_seconds": patience_seconds,
                "lease_patience_seconds": LEASE_PATIENCE_SECONDS,
                "error": ABANDONED_TEXT,
            },
        ).fetchall()
        return read_many(connection, [row["id"] for row in rows])


def reopen(database: Database, run_id: UUID, *, config: dict[str, Any] | None = None) -> TrainingRun:
    """Set a run that ended, or whose worker died, to pending, to train to its end; its records stay.

    config: replaces the run's config, with a larger budget; required for a completed run

    Raises InputError for a completed run without `config`, DriverBusyError if its worker or its sweep's driver is
    alive.
    """
    with database.connect() as connection:
        lock(connection, run_id)
        run = read_one(connection, run_id)
        check_no_worker(connection, [run])
        if run.sweep_id is not None:
            check_no_driver(connection, run.sweep_id)
        if run.status is RunStatus.COMPLETED and config is None:
            raise InputError(
                f"Training run {run_id} is completed. To continue it, give a larger budget with --total-timesteps or "
                "--episodes; linear schedules then run over the larger one, or stay at 0 with --keep-schedule."
            )
        new_config = Jsonb(run.config if config is None else config)
        connection.execute(_SQL["reopen_run"], {"id": run_id, "config": new_config})
        return read_one(connection, run_id)


def schedule(connection: Connection, run_id: UUID, *, pause_at: float | None) -> bool:
    """Set a pending, paused or stopped run to pending, to train up to `pause_at`, within a transaction.

    Called by the sweep's driver, which has the lease. The run's records stay; its next attempt resumes from its last
    checkpoint. Returns False, and changes nothing, if a stop of its sweep was requested.

    pause_at: the share of its budget at which it pauses, between 0 and 1; None to train to its end

    Raises RlsweepError if the run is running, completed or failed.
    """
    run = lock(connection, run_id)
    if run.status not in (RunStatus.PENDING, RunStatus.PAUSED, RunStatus.STOPPED):
        raise RlsweepError(
            f"Training run {run_id} is {run.status}; only a pending, paused or stopped one is scheduled."
        )
    return connection.execute(_SQL["schedule_run"], {"id": run_id, "pause_at": pause_at}).rowcount > 0


def take_up(
    database: Database,
    sweep_id: UUID,
    statuses: Collection[RunStatus],
    *,
    lost: Collection[UUID] = (),
    gone: Collection[UUID] = (),
    from_start: bool = False,
) -> list[UUID]:
    """Set the sweep's runs in these statuses to pending; their records stay. A race or scheduler that gets any goes on.

    Called by the sweep's driver, which has the lease. Returns the ids of the pending runs.

    lost: running runs whose worker may be dead. A run becomes pending only if its last heartbeat is old, by the
    database's clock; call again for the others
    gone: running runs whose worker is known to be dead; their heartbeats do not count
    from_start: delete the runs' checkpoint records, so that they start from the beginning
    """
    with database.connect() as connection:
        rows = connection.execute(
            _SQL["take_up_runs"],
            {
                "sweep_id": sweep_id,
                "statuses": [status.value for status in statuses],
                "lost": list(lost),
                "gone": list(gone),
                "patience_seconds": LEASE_PATIENCE_SECONDS,
            },
        ).fetchall()
        ids = [row["id"] for row in rows]
        if ids:
            connection.execute(_SQL["reopen_race"], {"sweep_id": sweep_id})
            connection.execute(_SQL["reopen_scheduler"], {"sweep_id": sweep_id})
        if from_start:
            connection.execute(_SQL["forget_checkpoints"], {"ids": ids})
            connection.execute(_SQL["begin_anew"], {"ids": ids})
    return ids


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedRun:
    """The state that decides whether a run may change; its row is locked until the transaction ends."""

    id: UUID
    sweep_id: UUID | None
    status: RunStatus
    stop_requested: bool
    attempt: int
    end_reason: EndReason | None
    begins_anew: bool


def lock(connection: Connection, run_id: UUID) -> LockedRun:
    """Read the run's state and lock its row until the transaction ends. Raises NotFoundError."""
    row = connection.execute(_SQL["lock_run"], {"id": run_id}).fetchone()
    if row is None:
        raise missing("Training run", str(run_id), "rlsweep runs")
    end_reason = None if row["end_reason"] is None else EndReason(row["end_reason"])
    return LockedRun(**row | {"status": RunStatus(row["status"]), "end_reason": end_reason})


def check_attempt(connection: Connection, run: LockedRun, attempt: int) -> LockedRun:
    """Raise StaleAttemptError unless `attempt` may write; return the run's state.

    An abandoned run without a newer attempt becomes running again: its worker was disconnected from the database for a
    while.
    """
    if run.attempt == attempt and run.end_reason is EndReason.ABANDONED:
        connection.execute(_SQL["revive_sweep"], {"id": run.sweep_id})
        connection.execute(_SQL["revive_run"], {"id": run.id})
        return lock(connection, run.id)
    if run.attempt != attempt:
        raise StaleAttemptError(
            f"Attempt {attempt} of training run {run.id} may not write: attempt {run.attempt} has replaced it."
        )
    if run.status is not RunStatus.RUNNING:
        raise StaleAttemptError(f"Attempt {attempt} of training run {run.id} may not write: the run is {run.status}.")
    return run


def check_left(run: LockedRun, attempt: int) -> None:
    """Raise StaleAttemptError if unsent records of a dead process of this attempt are obsolete.

    They are obsolete once a newer attempt has begun, the run is completed, or it will start from the beginning.
    """
    if run.attempt != attempt or run.status is RunStatus.COMPLETED or run.begins_anew:
        raise StaleAttemptError(f"The unsent records of attempt {attempt} of training run {run.id} are obsolete.")


def _end(connection: Connection, run: LockedRun, reason: EndReason, error: str | None) -> TrainingRun:
    """Change a pending, running or paused run to a finished status."""
    assert run.status in (RunStatus.PENDING, RunStatus.RUNNING, RunStatus.PAUSED)
    values = {
        "id": run.id,
        "status": reason.status.value,
        "end_reason": reason.value,
        "error": error and storable(error),
    }
    connection.execute(_SQL["end_run"], values)
    return read_one(connection, run.id)
