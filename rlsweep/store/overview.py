"""How far a sweep has come, read in a bounded number of rows: twice a second, while ten thousand trials run."""

from dataclasses import dataclass
from uuid import UUID

from rlsweep.runs import WATCHED_FIRST, Overview, RunStatus
from rlsweep.store.database import Database
from rlsweep.store.queries import load
from rlsweep.store.records import run_from_row

MOST_SHOWN = 50
"""Runs of one overview: more than fit on most screens."""

_SQL = load("overview")


def overview(database: Database, sweep_id: UUID, *, limit: int = MOST_SHOWN) -> Overview:
    """All runs of the sweep in the order of its plan or, where they are more than that, `limit` by WATCHED_FIRST."""
    with database.readonly() as connection:
        counted = connection.execute(_SQL["count_by_status"], {"sweep_id": sweep_id}).fetchall()
        rows = connection.execute(
            _SQL["list_foremost"],
            {"sweep_id": sweep_id, "statuses": [status.value for status in WATCHED_FIRST], "limit": limit},
        ).fetchall()
    runs_by_status = {RunStatus(row["status"]): row["runs"] for row in counted}
    if sum(runs_by_status.values()) <= limit:
        rows.sort(key=lambda row: row["position"])
    return Overview(runs=tuple(map(run_from_row, rows)), runs_by_status=runs_by_status)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What all runs of a sweep have recorded so far."""

    episodes: int
    env_steps: int


def recorded(database: Database, sweep_id: UUID) -> Recorded:
    """Add up over all runs of the sweep: 10 to 20 ms at ten thousand, so not at every look."""
    with database.readonly() as connection:
        row = connection.execute(_SQL["sum_recorded"], {"sweep_id": sweep_id}).fetchone()
    assert row is not None
    return Recorded(**row)
