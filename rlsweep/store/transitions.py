"""Every change of a training run's status happens here: written, begun, ended, stopped, abandoned, reopened."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from rlsweep.errors import InputError, StaleAttemptError
from rlsweep.runs import Actor, Counters, EndReason, NewRun, RunStatus, TrainingRun
from rlsweep.store.database import Connection, Database
from rlsweep.store.liveness import LEASE_PATIENCE_SECONDS, RUN_PATIENCE_SECONDS, check_no_driver, check_no_worker
from rlsweep.store.queries import load
from rlsweep.store.records import missing, one, run_from_row, storable

ABANDONED_TEXT = "The worker was lost. Its data is kept; `rlsweep resume` continues it."

_SQL = load("transitions")
_RECORDING = load("recording")


def create_single(database: Database, run: NewRun, *, weights_from: str | None = None) -> TrainingRun:
    """Write a run that belongs to no sweep, pending.

    weights_from: path or URI of the checkpoint whose policy weights it begins with
    """
    with database.connect() as connection:
        (run_id,) = insert(connection, None, [run])
        values = {"id": run_id, "weights_from": weights_from}
        return run_from_row(one(connection.execute(_SQL["set_weights_from"], values).fetchone()))


def insert(connection: Connection, sweep_id: UUID | None, runs: Sequence[NewRun]) -> list[UUID]:
    """Write planned runs within a transaction; ids in the order given."""
    ids = [uuid4() for _ in runs]
    connection.execute(
        _SQL["insert_runs"],
        {
            "sweep_id": sweep_id,
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
        },
    )
    return ids


def begin_attempt(
    database: Database, run_id: UUID, metadata: dict[str, Any], *, actor: Actor | None = None
) -> TrainingRun | None:
    """Take the run up: attempt + 1, running.

    metadata: replaces that of an older attempt, except for the first attempt's command, kept as `first_command`
    actor: the Ray actor that trains it; None where it is trained without Ray

    Older attempts may no longer write. A failed run may be taken up again as it is. Returns None where nothing is left
    to do: the run is completed, or it was asked to stop (call `reopen` first on a stopped one).
    """
    with database.connect() as connection:
        run = lock(connection, run_id)
        if run.status is RunStatus.COMPLETED or run.stop_requested:
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
        return run_from_row(one(connection.execute(_SQL["begin_attempt"], values).fetchone()))


def finish(
    database: Database,
    run_id: UUID,
    attempt: int,
    reason: EndReason,
    error: str | None = None,
    *,
    final: Counters | None = None,
) -> TrainingRun:
    """End the run, for its worker. A repeat is harmless.

    final: the counters of a completed run; rows that older attempts recorded beyond them are deleted

    Raises StaleAttemptError where a newer attempt exists, or the run ended otherwise in the meantime.
    """
    with database.connect() as connection:
        run = lock(connection, run_id)
        if run.attempt == attempt and run.status is reason.status:
            return run
        run = check_attempt(connection, run, attempt)
        if final is not None:
            counters = {"episodes": final.episodes, "updates": final.updates, "env_steps": final.env_steps}
            connection.execute(_RECORDING["drop_beyond_end"], {"run_id": run_id, "attempt": attempt, **counters})
            connection.execute(_SQL["set_counters"], {"id": run_id, **counters})
        return _end(connection, run, reason, error)


def request_stop(database: Database, run_id: UUID) -> TrainingRun:
    """Stop a pending run at once, ask a running one to stop; leave a finished one as it is."""
    with database.connect() as connection:
        run = lock(connection, run_id)
        if run.status.is_finished:
            return run
        asked = run_from_row(one(connection.execute(_SQL["ask_run_to_stop"], {"id": run_id}).fetchone()))
        return _end(connection, asked, EndReason.STOPPED, None) if asked.status is RunStatus.PENDING else asked


def request_stop_of_sweep(connection: Connection, sweep_id: UUID) -> list[RunStatus]:
    """Stop the sweep's pending runs, ask its running ones to stop; the statuses that these runs have now."""
    rows = connection.execute(_SQL["stop_runs_of_sweep"], {"sweep_id": sweep_id}).fetchall()
    return [RunStatus(row["status"]) for row in rows]


def fail_lost(database: Database, run_id: UUID, error: str) -> TrainingRun:
    """End a run whose worker is gone: stopped if it was asked to stop, else failed; leave a finished one as it is."""
    with database.connect() as connection:
        run = lock(connection, run_id)
        if run.status.is_finished:
            return run
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
    """End abandoned runs, of that sweep or that one run, as stopped; return them.

    A run is abandoned when it gave no sign of life for `patience_seconds` by the database's clock and its sweep has no
    live driver. `rlsweep resume` continues it.
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
    return [run_from_row(row) for row in rows]


def reopen(database: Database, run_id: UUID, *, config: dict[str, Any] | None = None) -> TrainingRun:
    """Make a run pending again that ended, or whose worker is gone; its records stay.

    config: replaces the run's own, with a larger budget; a completed run may be reopened only with one

    Raises InputError for a completed run without `config`, DriverBusyError while its worker or its sweep's driver
    gives signs of life.
    """
    with database.connect() as connection:
        run = lock(connection, run_id)
        check_no_worker(connection, [run])
        if run.sweep_id is not None:
            check_no_driver(connection, run.sweep_id)
        if run.status is RunStatus.COMPLETED and config is None:
            raise InputError(
                f"Training run {run_id} is completed: there is nothing left of it to run. "
                "Give a larger budget with --total-timesteps or --episodes to go on."
            )
        new_config = Jsonb(run.config if config is None else config)
        return run_from_row(
            one(connection.execute(_SQL["reopen_run"], {"id": run_id, "config": new_config}).fetchone())
        )


def take_up(
    database: Database,
    sweep_id: UUID,
    statuses: Collection[RunStatus],
    *,
    lost: Collection[UUID] = (),
    from_start: bool = False,
) -> list[UUID]:
    """Make the sweep's runs in these statuses pending; their records stay.

    For the sweep's driver, which holds the lease. Returns the ids of the runs that are pending now.

    lost: running ones whose worker is not known to be alive. They become pending only once it gives no more signs of
    life by the database's clock; call again for the others
    from_start: delete their checkpoints from the record, so that they begin anew
    """
    with database.connect() as connection:
        rows = connection.execute(
            _SQL["take_up_runs"],
            {
                "sweep_id": sweep_id,
                "statuses": [status.value for status in statuses],
                "lost": list(lost),
                "patience_seconds": LEASE_PATIENCE_SECONDS,
            },
        ).fetchall()
        ids = [row["id"] for row in rows]
        if from_start:
            connection.execute(_SQL["forget_checkpoints"], {"ids": ids})
            connection.execute(_SQL["begin_anew"], {"ids": ids})
    return ids


def lock(connection: Connection, run_id: UUID) -> TrainingRun:
    """The run, its row held until the transaction ends. Raises NotFoundError."""
    row = connection.execute(_SQL["lock_run"], {"id": run_id}).fetchone()
    if row is None:
        raise missing("Training run", str(run_id), "rlsweep runs")
    return run_from_row(row)


def check_attempt(connection: Connection, run: TrainingRun, attempt: int) -> TrainingRun:
    """Raise StaleAttemptError unless `attempt` is the one that may write; return the run as it stands.

    An abandoned run that nobody has taken up since is running again: its worker was cut off from the database for a
    while.
    """
    if run.attempt == attempt and run.end_reason is EndReason.ABANDONED:
        connection.execute(_SQL["revive_sweep"], {"id": run.sweep_id})
        return run_from_row(one(connection.execute(_SQL["revive_run"], {"id": run.id}).fetchone()))
    if run.attempt != attempt:
        raise StaleAttemptError(
            f"Attempt {attempt} of training run {run.id} was given up: attempt {run.attempt} has taken its place."
        )
    if run.status is not RunStatus.RUNNING:
        raise StaleAttemptError(f"Attempt {attempt} of training run {run.id} was given up: the run is {run.status}.")
    return run


def check_left(run: TrainingRun, attempt: int) -> None:
    """Raise StaleAttemptError unless records that a dead process of that attempt left unsent still count.

    They count until another attempt begins, unless the run is completed or is to begin anew.
    """
    if run.attempt != attempt or run.status is RunStatus.COMPLETED or run.begins_anew:
        raise StaleAttemptError(f"The unsent records of attempt {attempt} of training run {run.id} are obsolete.")


def _end(connection: Connection, run: TrainingRun, reason: EndReason, error: str | None) -> TrainingRun:
    """From pending or running to finished."""
    assert not run.status.is_finished
    values = {
        "id": run.id,
        "status": reason.status.value,
        "end_reason": reason.value,
        "error": error and storable(error),
    }
    return run_from_row(one(connection.execute(_SQL["end_run"], values).fetchone()))
