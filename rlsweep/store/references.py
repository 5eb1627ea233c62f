"""What a reference that is not complete yet may become: names of sweeps, ids of runs."""

from rlsweep.runs import TrainingRun
from rlsweep.store.database import Database
from rlsweep.store.queries import load
from rlsweep.store.records import run_from_row

_SQL = load("references")


def sweep_names(database: Database, start: str, limit: int) -> list[str]:
    """The names of sweeps that start with `start`, the newest first."""
    with database.readonly() as connection:
        rows = connection.execute(_SQL["list_names_starting_with"], {"start": start, "limit": limit})
        return [row["name"] for row in rows]


def runs_starting_with(database: Database, start: str, limit: int) -> list[TrainingRun]:
    """The runs whose id starts with `start`, the newest first."""
    with database.readonly() as connection:
        rows = connection.execute(_SQL["list_runs_starting_with"], {"start": start.lower(), "limit": limit})
        return [run_from_row(row) for row in rows]
