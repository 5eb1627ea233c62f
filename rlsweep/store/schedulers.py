"""Schedulers of sweeps: their settings, their decisions, and the runs that these have scheduled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from rlsweep.runs import RunStatus
from rlsweep.scheduler_records import Scheduler, SchedulerDecision, SchedulerKind, SchedulerTerms
from rlsweep.store.database import Connection, Database
from rlsweep.store.decisions import Scheduled, put_on_record
from rlsweep.store.queries import load

_SQL = load("schedulers")


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDecision:
    """A decision before it is on record; see `SchedulerDecision`.

    stop: why the scheduler begins nothing any more after it; None if it goes on
    """

    free: int
    record: dict[str, Any]
    decision: dict[str, Any]
    stop: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How far a run is.

    pause_at: share of its budget at which it pauses, or has paused; None to train to its end, and before it is chosen
    """

    id: UUID
    status: RunStatus
    attempt: int
    pause_at: float | None


def insert_terms(connection: Connection, sweep_id: UUID, terms: SchedulerTerms) -> None:
    """Give the sweep a scheduler, within a transaction."""
    values = {"kind": terms.kind.value, "objective": terms.objective, "settings": Jsonb(terms.settings)}
    connection.execute(_SQL["insert_terms"], {"sweep_id": sweep_id, **values})


def find(database: Database, sweep_id: UUID) -> Scheduler | None:
    """The scheduler of the sweep; None if it has none."""
    with database.readonly() as connection:
        row = connection.execute(_SQL["get_scheduler"], {"sweep_id": sweep_id}).fetchone()
    return None if row is None else Scheduler(**row | {"kind": SchedulerKind(row["kind"])})


def decisions(database: Database, sweep_id: UUID, *, after: int = 0) -> list[SchedulerDecision]:
    """The decisions of the scheduler with a larger number, in order."""
    with database.readonly() as connection:
        rows = connection.execute(_SQL["list_decisions"], {"sweep_id": sweep_id, "after": after}).fetchall()
    return [SchedulerDecision(**row) for row in rows]


def decide(
    database: Database, sweep_id: UUID, driver: str, decision: NewDecision, chosen: Sequence[Scheduled]
) -> list[UUID] | None:
    """Write a decision and schedule the runs that it chose, as `store.decisions.put_on_record` does."""

    def write(connection: Connection) -> None:
        values = {name: Jsonb(getattr(decision, name)) for name in ("record", "decision")}
        connection.execute(_SQL["insert_decision"], {"sweep_id": sweep_id, "free": decision.free, **values})
        if decision.stop is not None:
            connection.execute(_SQL["set_stop"], {"sweep_id": sweep_id, "stop": decision.stop})

    return put_on_record(database, sweep_id, driver, write, chosen)


def scheduled_ids(database: Database, sweep_id: UUID) -> list[UUID]:
    """The ids of the pending runs that a decision has scheduled, in the order of the plan."""
    with database.readonly() as connection:
        return [row["id"] for row in connection.execute(_SQL["list_scheduled"], {"sweep_id": sweep_id})]


def standings(database: Database, sweep_id: UUID) -> list[Standing]:
    """How far each run of the sweep is, in the order of its plan; little of each, as there may be ten thousand."""
    with database.readonly() as connection:
        rows = connection.execute(_SQL["list_standings"], {"sweep_id": sweep_id}).fetchall()
    return [Standing(**row | {"status": RunStatus(row["status"])}) for row in rows]
