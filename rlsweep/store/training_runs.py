"""Training runs: every change of a run's status happens here."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID, uuid4

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from rlsweep.checkpoint_format import BEST_NAME
from rlsweep.errors import InputError, StaleAttemptError
from rlsweep.runs import Checkpoint, Counters, NewRun, RunStatus, TrainingRun
from rlsweep.store.database import Connection, Database
from rlsweep.store.liveness import LEASE_PATIENCE_SECONDS, check_no_driver, check_no_worker
from rlsweep.store.queries import load
from rlsweep.store.records import ambiguous, id_range, missing, run_from_row, storable

RUN_PATIENCE_SECONDS = 60.0
"""Seconds without a sign of life after which a run that nobody looks after is settled by whoever lists it."""

WEIGHTS_FROM = "weights_from"
"""Noted on a run that begins with the weights of another one's checkpoint; every attempt keeps it."""

BEGINS_ANEW = "begins_anew"
"""Noted on a run that is to begin from the start, until its next attempt does."""

ABANDONED = (
    "Its process ended without a word; it was killed, or its machine went down. "
    "What it recorded is kept, and its last checkpoint can be gone on from."
)

SQL = load("training_runs")
_CURVES = load("curves")
_RECORDING = load("recording")


def create_single(database: Database, run: NewRun, *, weights_from: str | None = None) -> TrainingRun:
    """Write a run that belongs to no sweep, pending; weights_from: the file whose weights it is to begin with."""
    with database.connect() as connection:
        (run_id,) = insert(connection, None, [run])
        if weights_from is not None:
            connection.execute(SQL["note"], {"ids": [run_id], "note": Jsonb({WEIGHTS_FROM: weights_from})})
        return run_from_row(_row(connection, run_id))


def insert(connection: Connection, sweep_id: UUID | None, runs: Sequence[NewRun]) -> list[UUID]:
    """Write planned runs within a transaction; ids in the order given."""
    ids = [uuid4() for _ in runs]
    connection.execute(
        SQL["insert_runs"],
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


def get(database: Database, reference: str | UUID) -> TrainingRun:
    """The run of that id, or the only one whose id starts so (4 hex digits or more). Raises NotFoundError."""
    wanted = str(reference)
    bounds = id_range(wanted)
    if bounds is None:
        raise missing("Training run", wanted, "rlsweep runs")
    with database.readonly() as connection:
        rows = connection.execute(SQL["list_runs_in_id_range"], {"low": bounds[0], "high": bounds[1]}).fetchall()
    if not rows:
        raise missing("Training run", wanted, "rlsweep runs")
    if len(rows) > 1:
        raise ambiguous("Training run", wanted, [row["id"] for row in rows])
    return run_from_row(rows[0])


def list_runs(
    database: Database,
    *,
    sweep_id: UUID | None = None,
    agent_id: str | None = None,
    status: RunStatus | None = None,
    limit: int | None = 50,
) -> list[TrainingRun]:
    """The newest runs first, of a sweep in the order of its plan; `limit` None gives all."""
    with database.readonly() as connection:
        rows = connection.execute(
            SQL["list_runs"],
            {"sweep_id": sweep_id, "agent_id": agent_id, "status": status and status.value, "limit": limit},
        ).fetchall()
    return [run_from_row(row) for row in rows]


def of_sweep(database: Database, sweep_id: UUID) -> list[TrainingRun]:
    """All runs of the sweep, in the order of its plan."""
    with database.readonly() as connection:
        rows = connection.execute(SQL["list_runs_of_sweep"], {"sweep_id": sweep_id}).fetchall()
    return [run_from_row(row) for row in rows]


def checkpoints_to_go_on_from(database: Database, run_id: UUID) -> list[Checkpoint]:
    """The run's checkpoints, the one that the next attempt goes on from first.

    Once an attempt has begun, nobody else adds to them.
    """
    with database.readonly() as connection:
        values = {"run_id": run_id, "best": f"%/{BEST_NAME}"}
        rows = connection.execute(_CURVES["list_checkpoints_to_go_on_from"], values).fetchall()
    return [Checkpoint(**row) for row in rows]


def ids_of_sweep(database: Database, sweep_id: UUID) -> list[UUID]:
    """The ids of the sweep's runs, in the order of its plan."""
    with database.readonly() as connection:
        return [row["id"] for row in connection.execute(SQL["list_ids_of_sweep"], {"sweep_id": sweep_id})]


def unfinished_ids(database: Database, sweep_id: UUID) -> list[UUID]:
    """The ids of the sweep's runs that are pending or running, in the order of its plan."""
    with database.readonly() as connection:
        return [row["id"] for row in connection.execute(SQL["list_unfinished_ids"], {"sweep_id": sweep_id})]


def running(database: Database, sweep_id: UUID) -> list[TrainingRun]:
    """The sweep's runs that are running, or that nobody has settled yet."""
    with database.readonly() as connection:
        return [run_from_row(row) for row in connection.execute(SQL["list_running"], {"sweep_id": sweep_id})]


def stopping(database: Database, sweep_id: UUID) -> list[TrainingRun]:
    """The sweep's runs that are running and were asked to stop."""
    with database.readonly() as connection:
        return [run_from_row(row) for row in connection.execute(SQL["list_stopping"], {"sweep_id": sweep_id})]


def get_many(database: Database, run_ids: Sequence[UUID]) -> list[TrainingRun]:
    """The runs of these ids, in the order given. Raises NotFoundError."""
    with database.readonly() as connection:
        rows = connection.execute(SQL["list_chosen_runs"], {"run_ids": list(run_ids)}).fetchall()
    found = {row["id"] for row in rows}
    for run_id in run_ids:
        if run_id not in found:
            raise missing("Training run", str(run_id), "rlsweep runs")
    return [run_from_row(row) for row in rows]


def base_of(database: Database, run: TrainingRun) -> TrainingRun | None:
    """A run of the base config of the same agent, of the same sweep if it has one, else the newest; or None."""
    with database.readonly() as connection:
        values = {"agent_id": run.agent_id, "sweep_id": run.sweep_id}
        row = connection.execute(SQL["get_base_run"], values).fetchone()
    return run_from_row(row) if row else None


def latest_checkpoint(database: Database, run_id: UUID) -> Checkpoint | None:
    """The checkpoint that the next attempt goes on from; None where there is none."""
    return next(iter(checkpoints_to_go_on_from(database, run_id)), None)


def begin_attempt(database: Database, run_id: UUID, metadata: dict[str, Any]) -> TrainingRun | None:
    """Take the run up: attempt + 1, running.

    `metadata` replaces what an older attempt noted, but for the first one's command, which stays as `first_command`,
    and WEIGHTS_FROM. Whoever held an older attempt is refused from now on. A failed run may be taken up again as it is.
    Returns None where there is nothing to do: the run completed, or it was asked to stop (a stopped one needs `reopen`
    first).
    """
    with database.connect() as connection:
        run = lock(connection, run_id)
        if run.status is RunStatus.COMPLETED or run.stop_requested:
            if run.status is RunStatus.PENDING:
                _end(connection, run, RunStatus.STOPPED, None)
            return None
        return run_from_row(
            _one(connection.execute(SQL["begin_attempt"], {"id": run_id, "metadata": Jsonb(metadata)}).fetchone())
        )


def finish(
    database: Database,
    run_id: UUID,
    attempt: int,
    status: RunStatus,
    error: str | None = None,
    *,
    final: Counters | None = None,
) -> TrainingRun:
    """The worker's last word: completed, stopped or failed. Saying it twice is harmless.

    final: of a run that is completed: what older attempts recorded beyond them, and this one did not record again, goes

    Raises StaleAttemptError where a newer attempt exists, or the run was given up in the meantime.
    """
    with database.connect() as connection:
        run = lock(connection, run_id)
        if run.attempt == attempt and run.status is status:
            return run
        run = check_attempt(connection, run, attempt)
        if final is not None:
            counters = {"episodes": final.episodes, "updates": final.updates, "env_steps": final.env_steps}
            connection.execute(_RECORDING["drop_beyond_end"], {"run_id": run_id, "attempt": attempt, **counters})
            connection.execute(SQL["set_counters"], {"id": run_id, **counters})
        return _end(connection, run, status, error)


def request_stop(database: Database, run_id: UUID) -> TrainingRun:
    """Stop a run that waits at once, ask one that runs to stop; leave a finished one as it is."""
    with database.connect() as connection:
        run = lock(connection, run_id)
        if run.status.is_finished:
            return run
        asked = run_from_row(_one(connection.execute(SQL["ask_run_to_stop"], {"id": run_id}).fetchone()))
        return _end(connection, asked, RunStatus.STOPPED, None) if asked.status is RunStatus.PENDING else asked


def fail_lost(database: Database, run_id: UUID, error: str) -> TrainingRun:
    """Settle a run whose worker is gone: stopped if it was asked to stop, else failed; a finished one stays so."""
    with database.connect() as connection:
        run = lock(connection, run_id)
        if run.status.is_finished:
            return run
        if run.stop_requested:
            return _end(connection, run, RunStatus.STOPPED, None)
        return _end(connection, run, RunStatus.FAILED, error)


def end_abandoned(
    database: Database,
    *,
    sweep_id: UUID | None = None,
    run_id: UUID | None = None,
    patience_seconds: float = RUN_PATIENCE_SECONDS,
) -> list[TrainingRun]:
    """End the runs on which nobody works any more, of that sweep or that one run, as stopped; return them.

    Such a run gave no sign of life for `patience_seconds` by the database's clock, and no live driver looks after it.
    Its error says so. It is no failure of its own: `rlsweep resume` goes on with it.
    """
    with database.connect() as connection:
        rows = connection.execute(
            SQL["end_abandoned_runs"],
            {
                "sweep_id": sweep_id,
                "id": run_id,
                "patience_seconds": patience_seconds,
                "lease_patience_seconds": LEASE_PATIENCE_SECONDS,
                "error": ABANDONED,
            },
        ).fetchall()
    return [run_from_row(row) for row in rows]


def reopen(database: Database, run_id: UUID, *, config: dict[str, Any] | None = None) -> TrainingRun:
    """Let a run that ended, or whose worker is gone, wait for a worker again; what it recorded stays.

    config: takes the place of the run's own, with a larger budget; only then may a completed run be reopened.
    Raises InputError for one that completed otherwise, DriverBusyError while its worker, or its sweep's driver, which
    may give it another, gives signs of life.
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
            _one(connection.execute(SQL["reopen_run"], {"id": run_id, "config": new_config}).fetchone())
        )


def take_up(
    database: Database,
    sweep_id: UUID,
    statuses: Collection[RunStatus],
    *,
    lost: Collection[UUID] = (),
    from_start: bool = False,
) -> list[UUID]:
    """Let the sweep's runs in these statuses wait for a worker, again if they had one; what they recorded stays.

    For the sweep's driver, which has the lease. Returns the runs that wait now.

    lost: running ones whose worker is not known to be alive. They are taken from it, but only once it gives no more
    signs of life by the database's clock; call again for those
    from_start: forget their checkpoints
    """
    with database.connect() as connection:
        rows = connection.execute(
            SQL["take_up_runs"],
            {
                "sweep_id": sweep_id,
                "statuses": [status.value for status in statuses],
                "lost": list(lost),
                "patience_seconds": LEASE_PATIENCE_SECONDS,
            },
        ).fetchall()
        ids = [row["id"] for row in rows]
        if from_start:
            connection.execute(SQL["forget_checkpoints"], {"ids": ids})
            connection.execute(SQL["note"], {"ids": ids, "note": Jsonb({BEGINS_ANEW: True})})
    return ids


def of_checksum(database: Database, sha256: str) -> TrainingRun | None:
    """The run that has a checkpoint of this checksum on record; None where none has."""
    with database.readonly() as connection:
        row = connection.execute(SQL["get_run_of_checksum"], {"sha256": sha256}).fetchone()
    return None if row is None else run_from_row(row)


def lock(connection: Connection, run_id: UUID) -> TrainingRun:
    """The run, its row held until the transaction ends. Raises NotFoundError."""
    row = connection.execute(SQL["lock_run"], {"id": run_id}).fetchone()
    if row is None:
        raise missing("Training run", str(run_id), "rlsweep runs")
    return run_from_row(row)


def check_attempt(connection: Connection, run: TrainingRun, attempt: int) -> TrainingRun:
    """Raise StaleAttemptError unless `attempt` is the one that may write; return the run as it stands.

    A run that was taken for abandoned, and that nobody has taken up since, is its worker's again: it was cut off from
    the database for a while.
    """
    if run.attempt == attempt and run.status is RunStatus.STOPPED and run.error == ABANDONED:
        connection.execute(SQL["revive_sweep"], {"id": run.sweep_id})
        return run_from_row(_one(connection.execute(SQL["revive_run"], {"id": run.id}).fetchone()))
    if run.attempt != attempt:
        raise StaleAttemptError(
            f"Attempt {attempt} of training run {run.id} was given up: attempt {run.attempt} has taken its place."
        )
    if run.status is not RunStatus.RUNNING:
        raise StaleAttemptError(f"Attempt {attempt} of training run {run.id} was given up: the run is {run.status}.")
    return run


def check_left(run: TrainingRun, attempt: int) -> None:
    """Raise StaleAttemptError unless what a dead process of that attempt left unsent still belongs to the run.

    It does until another attempt begins: a run that was stopped, that failed, or that waits to be gone on with goes on
    from there. One that completed, or that is to begin anew, has no use for it.
    """
    if run.attempt != attempt or run.status is RunStatus.COMPLETED or run.metadata.get(BEGINS_ANEW):
        raise StaleAttemptError(f"What attempt {attempt} of training run {run.id} left is of no more use.")


def _end(connection: Connection, run: TrainingRun, status: RunStatus, error: str | None) -> TrainingRun:
    """From pending or running to finished."""
    assert status.is_finished
    assert not run.status.is_finished
    values = {"id": run.id, "status": status.value, "error": error and storable(error)}
    return run_from_row(_one(connection.execute(SQL["end_run"], values).fetchone()))


def _row(connection: Connection, run_id: UUID) -> DictRow:
    return _one(connection.execute(SQL["get_run"], {"id": run_id}).fetchone())


def _one(row: DictRow | None) -> DictRow:
    """The row that `returning` always gives for a row that is locked."""
    assert row is not None
    return row
