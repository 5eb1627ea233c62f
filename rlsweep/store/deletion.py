"""Delete sweeps and runs from the database. `rlsweep.attempts.deletion` deletes their files."""

from collections.abc import Sequence
from uuid import UUID

from rlsweep.runs import TrainingRun
from rlsweep.store.database import Connection, Database
from rlsweep.store.liveness import check_no_driver, check_no_worker
from rlsweep.store.queries import load

BEGUN = "Its deletion is not finished: some of its files are deleted. Run `rlsweep delete` on it again."

_SQL = load("deletion")


def begin(database: Database, runs: Sequence[TrainingRun]) -> None:
    """Record that the deletion of the runs' files begins. Raises DriverBusyError if a run or its sweep is active."""
    with database.connect() as connection:
        _check_idle(connection, runs)
        connection.execute(_SQL["mark_runs"], {"ids": [run.id for run in runs], "note": BEGUN})


def finish(database: Database, runs: Sequence[TrainingRun], *, sweep_id: UUID | None) -> None:
    """Delete the runs with all their records, the sweep if it is given, and tournaments of which no run is left.

    Raises DriverBusyError if a run or its sweep has become active meanwhile.
    """
    with database.connect() as connection:
        _check_idle(connection, runs)
        connection.execute(_SQL["delete_runs"], {"ids": [run.id for run in runs]})
        if sweep_id is not None:
            connection.execute(_SQL["delete_sweep"], {"id": sweep_id})
        connection.execute(_SQL["delete_tournaments"])


def check_idle(database: Database, runs: Sequence[TrainingRun]) -> None:
    """Raise DriverBusyError if a driver or worker of one of the runs has a recent heartbeat."""
    with database.readonly() as connection:
        _check_idle(connection, runs)


def count_episodes(database: Database, runs: Sequence[TrainingRun]) -> int:
    """Number of recorded episodes of the runs."""
    with database.readonly() as connection:
        row = connection.execute(_SQL["count_episodes"], {"ids": [run.id for run in runs]}).fetchone()
    return 0 if row is None else int(row["episodes"])


def checkpoint_uris(database: Database, runs: Sequence[TrainingRun]) -> list[tuple[UUID, str]]:
    """Run id and URI of each checkpoint of the runs."""
    with database.readonly() as connection:
        rows = connection.execute(_SQL["list_checkpoint_uris"], {"ids": [run.id for run in runs]}).fetchall()
    return [(row["run_id"], row["uri"]) for row in rows]


def _check_idle(connection: Connection, runs: Sequence[TrainingRun]) -> None:
    for sweep_id in {run.sweep_id for run in runs} - {None}:
        assert sweep_id is not None
        check_no_driver(connection, sweep_id)
    check_no_worker(connection, runs)
