"""The list of sweeps, page by page, with the progress of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import sql
from psycopg.rows import DictRow

from rlsweep.runs import RunStatus
from rlsweep.store.database import Connection, Database
from rlsweep.store.queries import composed, load
from rlsweep.store.records import missing, one, sweep_from_row
from rlsweep.sweep_records import Sweep, SweepStatus

_SQL = load("sweep_listing")


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A sweep and its progress.

    seconds: from its submission to its end, or to now by the database's clock
    runs_by_status: number of runs; statuses without runs are left out
    episodes, env_steps: sums over all runs
    trained: by status, the mean share that its runs have trained of their budget, or of the part before their pause if
        they have one; 0 to 1
    """

    sweep: Sweep
    seconds: float
    runs_by_status: dict[RunStatus, int]
    episodes: int
    env_steps: int
    trained: dict[RunStatus, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepPlace:
    """The last sweep of a page; the next page starts after it."""

    created_at: datetime
    id: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepPage:
    """total: number of sweeps that match the filters; next: start of the next page, None on the last."""

    sweeps: tuple[Standing, ...]
    total: int
    next: SweepPlace | None


def list_page(
    database: Database,
    *,
    statuses: Sequence[SweepStatus] = (),
    tags: Sequence[str] = (),
    environments: Sequence[str] = (),
    words: str = "",
    limit: int = 50,
    after: SweepPlace | None = None,
) -> SweepPage:
    """Read `limit` sweeps, newest first, that match all filters; an empty one matches all.

    statuses, environments: those of the sweep are among them; tags: a sweep must have all of them
    words: part of its name, its environment, its note or a tag, case-insensitive
    """
    values = {
        "statuses": [status.value for status in statuses] or None,
        "tags": list(tags),
        "environments": list(environments) or None,
        "words": words.strip() or None,
        "after_id": after and after.id,
        "after_created_at": after and after.created_at,
        "limit": limit + 1,
    }
    with database.readonly() as connection:
        rows = connection.execute(_filtered("list_page"), values).fetchall()
        total = one(connection.execute(_filtered("count_matching"), values).fetchone())["sweeps"]
        shown = _standings(connection, rows[:limit])
    last = shown[-1].sweep if len(rows) > limit else None
    return SweepPage(
        sweeps=shown, total=total, next=None if last is None else SweepPlace(created_at=last.created_at, id=last.id)
    )


def _filtered(statement: str) -> sql.Composed:
    return composed(_SQL[statement], matching=_SQL["matching"].decode())


def standing(database: Database, sweep: Sweep) -> Standing:
    """Read the progress of one sweep. Raises NotFoundError if it was deleted meanwhile."""
    with database.readonly() as connection:
        row = connection.execute(_SQL["get_timed_sweep"], {"id": sweep.id}).fetchone()
        if row is None:
            raise missing("Sweep", str(sweep.id), "rlsweep sweeps")
        return _standings(connection, [row])[0]


def _standings(connection: Connection, rows: Sequence[DictRow]) -> tuple[Standing, ...]:
    counted: dict[UUID, list[DictRow]] = {row["id"]: [] for row in rows}
    for row in connection.execute(_SQL["list_standings"], {"sweep_ids": list(counted)}):
        counted[row["sweep_id"]].append(row)
    return tuple(_standing(row, counted[row["id"]]) for row in rows)


def _standing(row: DictRow, counted: Sequence[DictRow]) -> Standing:
    return Standing(
        sweep=sweep_from_row(row),
        seconds=row["seconds"],
        runs_by_status={RunStatus(each["status"]): each["runs"] for each in counted},
        episodes=sum(each["episodes"] for each in counted),
        env_steps=sum(each["env_steps"] for each in counted),
        trained={RunStatus(each["status"]): each["trained"] for each in counted},
    )
