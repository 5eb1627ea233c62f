"""Read training runs: one, or those of a sweep, and the checkpoints from which they resume."""

from collections.abc import Sequence
from uuid import UUID

from rlsweep.checkpoint_format import BEST_NAME
from rlsweep.runs import Checkpoint, RunStatus, TrainingRun
from rlsweep.store.database import Connection, Database
from rlsweep.store.queries import load
from rlsweep.store.records import ambiguous, id_range, missing, one, run_from_row

_SQL = load("training_runs")
_CURVES = load("curves")


def get(database: Database, reference: str | UUID) -> TrainingRun:
    """Find a run by its id or a unique start of its id (4 hex digits or more). Raises NotFoundError."""
    wanted = str(reference)
    bounds = id_range(wanted)
    if bounds is None:
        raise missing("Training run", wanted, "rlsweep runs")
    with database.readonly() as connection:
        rows = connection.execute(_SQL["list_runs_in_id_range"], {"low": bounds[0], "high": bounds[1]}).fetchall()
    if not rows:
        raise missing("Training run", wanted, "rlsweep runs")
    if len(rows) > 1:
        raise ambiguous("Training run", wanted, [row["id"] for row in rows])
    return run_from_row(rows[0])


def ids_of(database: Database, references: Sequence[str]) -> list[UUID]:
    """The ids that these ids, or unique starts of ids, name; each once. Raises NotFoundError for the starts.

    Whole ids are not looked up.
    """
    return list(dict.fromkeys(_whole_id(each) or get(database, each).id for each in references))


def _whole_id(reference: str) -> UUID | None:
    """The id that is written out in full; None for the start of one."""
    bounds = id_range(reference)
    return bounds[0] if bounds is not None and bounds[0] == bounds[1] else None


def list_runs(
    database: Database,
    *,
    sweep_id: UUID | None = None,
    agent_id: str | None = None,
    status: RunStatus | None = None,
    tags: Sequence[str] = (),
    limit: int | None = 50,
) -> list[TrainingRun]:
    """The newest runs first; the runs of a sweep are in the order of its plan. `limit` None returns all.

    tags: a run must have all of them
    """
    with database.readonly() as connection:
        rows = connection.execute(
            _SQL["list_runs"],
            {
                "sweep_id": sweep_id,
                "agent_id": agent_id,
                "status": status and status.value,
                "tags": list(tags),
                "limit": limit,
            },
        ).fetchall()
    return [run_from_row(row) for row in rows]


def of_sweep(database: Database, sweep_id: UUID) -> list[TrainingRun]:
    """All runs of the sweep, in the order of its plan."""
    with database.readonly() as connection:
        rows = connection.execute(_SQL["list_runs_of_sweep"], {"sweep_id": sweep_id}).fetchall()
    return [run_from_row(row) for row in rows]


def checkpoints_to_go_on_from(database: Database, run_id: UUID) -> list[Checkpoint]:
    """The run's checkpoints; the next attempt resumes from the first one.

    After an attempt has begun, no other process adds checkpoints.
    """
    with database.readonly() as connection:
        values = {"run_id": run_id, "best": f"%/{BEST_NAME}"}
        rows = connection.execute(_CURVES["list_checkpoints_to_go_on_from"], values).fetchall()
    return [Checkpoint(**row) for row in rows]


def ids_of_sweep(database: Database, sweep_id: UUID) -> list[UUID]:
    """The ids of the sweep's runs, in the order of its plan."""
    with database.readonly() as connection:
        return [row["id"] for row in connection.execute(_SQL["list_ids_of_sweep"], {"sweep_id": sweep_id})]


def ids_of_checked_sweep(database: Database, sweep_id: UUID) -> list[UUID]:
    """The same, with those of the sweeps that check its choice."""
    with database.readonly() as connection:
        return [row["id"] for row in connection.execute(_SQL["list_ids_of_checked_sweep"], {"sweep_id": sweep_id})]


def unfinished_ids(database: Database, sweep_id: UUID) -> list[UUID]:
    """The ids of the sweep's runs that are pending or running, in the order of its plan."""
    with database.readonly() as connection:
        return [row["id"] for row in connection.execute(_SQL["list_unfinished_ids"], {"sweep_id": sweep_id})]


def pending_ids(database: Database, sweep_id: UUID) -> list[UUID]:
    """The ids of the sweep's pending runs, in the order of its plan."""
    with database.readonly() as connection:
        return [row["id"] for row in connection.execute(_SQL["list_pending_ids"], {"sweep_id": sweep_id})]


def running(database: Database, sweep_id: UUID) -> list[TrainingRun]:
    """The sweep's runs in the status running; the worker of some may be dead."""
    with database.readonly() as connection:
        return [run_from_row(row) for row in connection.execute(_SQL["list_running"], {"sweep_id": sweep_id})]


def stopping(database: Database, sweep_id: UUID) -> list[TrainingRun]:
    """The sweep's running runs with a stop request."""
    with database.readonly() as connection:
        return [run_from_row(row) for row in connection.execute(_SQL["list_stopping"], {"sweep_id": sweep_id})]


def get_many(database: Database, run_ids: Sequence[UUID]) -> list[TrainingRun]:
    """The runs with these ids, in the given order. Raises NotFoundError."""
    with database.readonly() as connection:
        return read_many(connection, run_ids)


def latest_version(database: Database, agent_id: str) -> int:
    """The highest version of the agent on record; 0 without any."""
    with database.readonly() as connection:
        return int(one(connection.execute(_SQL["latest_version"], {"agent_id": agent_id}).fetchone())["version"])


def existing(database: Database, run_ids: Sequence[UUID]) -> list[TrainingRun]:
    """The runs with these ids that are on record, in the given order."""
    with database.readonly() as connection:
        return [run_from_row(row) for row in connection.execute(_SQL["list_chosen_runs"], {"run_ids": list(run_ids)})]


def read_many(connection: Connection, run_ids: Sequence[UUID]) -> list[TrainingRun]:
    """As `get_many`, within a transaction."""
    rows = connection.execute(_SQL["list_chosen_runs"], {"run_ids": list(run_ids)}).fetchall()
    found = {row["id"] for row in rows}
    for run_id in run_ids:
        if run_id not in found:
            raise missing("Training run", str(run_id), "rlsweep runs")
    return [run_from_row(row) for row in rows]


def read_one(connection: Connection, run_id: UUID) -> TrainingRun:
    """One run, within a transaction. Raises NotFoundError."""
    return read_many(connection, [run_id])[0]


def base_of(database: Database, run: TrainingRun) -> TrainingRun | None:
    """A run of the agent's base config: from the same sweep if possible, else the newest; None if there is none."""
    with database.readonly() as connection:
        values = {"agent_id": run.agent_id, "sweep_id": run.sweep_id}
        row = connection.execute(_SQL["get_base_run"], values).fetchone()
    return run_from_row(row) if row else None


def latest_checkpoint(database: Database, run_id: UUID) -> Checkpoint | None:
    """The checkpoint from which the next attempt resumes; None if there is none."""
    return next(iter(checkpoints_to_go_on_from(database, run_id)), None)


def of_checksum(database: Database, sha256: str) -> TrainingRun | None:
    """The run that recorded a checkpoint with this checksum; None if there is none."""
    with database.readonly() as connection:
        row = connection.execute(_SQL["get_run_of_checksum"], {"sha256": sha256}).fetchone()
    return None if row is None else run_from_row(row)
