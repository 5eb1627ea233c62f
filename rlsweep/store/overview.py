"""A sweep's progress, in a limited number of rows: it is read twice a second, even with ten thousand trials."""

from dataclasses import dataclass
from uuid import UUID

from rlsweep.runs import WATCHED_FIRST, RunStatus
from rlsweep.store import exploits, races, schedulers
from rlsweep.store.database import Database
from rlsweep.store.queries import load
from rlsweep.store.records import run_from_row
from rlsweep.sweep_records import Overview

MOST_SHOWN = 50
"""Maximum number of runs in an overview: more than fit on most screens."""

_SQL = load("overview")


def overview(database: Database, sweep_id: UUID, *, limit: int = MOST_SHOWN) -> Overview:
    """All runs of the sweep in the order of its plan; if there are more than `limit`, the first by WATCHED_FIRST."""
    with database.readonly() as connection:
        counted = connection.execute(_SQL["count_by_status"], {"sweep_id": sweep_id}).fetchall()
        rows = connection.execute(
            _SQL["list_foremost"],
            {"sweep_id": sweep_id, "statuses": [status.value for status in WATCHED_FIRST], "limit": limit},
        ).fetchall()
        decision = races.latest(connection, sweep_id)
        asha = schedulers.asha_standing(connection, sweep_id)
        population = exploits.standing(connection, sweep_id)
    runs_by_status = {RunStatus(row["status"]): row["runs"] for row in counted}
    if sum(runs_by_status.values()) <= limit:
        rows.sort(key=lambda row: row["position"])
    runs = tuple(map(run_from_row, rows))
    return Overview(runs=runs, runs_by_status=runs_by_status, decision=decision, asha=asha, population=population)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """Episodes and env steps that all runs of a sweep have recorded so far."""

    episodes: int
    env_steps: int


def recorded(database: Database, sweep_id: UUID) -> Recorded:
    """Sum over all runs of the sweep. It takes 10 to 20 ms for ten thousand runs: do not call it at every poll."""
    with database.readonly() as connection:
        row = connection.execute(_SQL["sum_recorded"], {"sweep_id": sweep_id}).fetchone()
    assert row is not None
    return Recorded(**row)
