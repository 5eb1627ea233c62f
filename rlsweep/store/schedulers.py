"""Schedulers of sweeps: their settings, their decisions, and the runs that these have scheduled."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from rlsweep.runs import RunStatus
from rlsweep.scheduler_records import (
    AshaStanding,
    RungCount,
    Scheduler,
    SchedulerDecision,
    SchedulerKind,
    SchedulerTerms,
)
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
    is_there: whether it waits at its pause, or was stopped while it did
    """

    id: UUID
    status: RunStatus
    attempt: int
    pause_at: float | None
    is_there: bool


def insert_terms(connection: Connection, sweep_id: UUID, terms: SchedulerTerms) -> None:
    """Give the sweep a scheduler, within a transaction."""
    values = {"kind": terms.kind.value, "objective": terms.objective, "settings": Jsonb(terms.settings)}
    connection.execute(_SQL["insert_terms"], {"sweep_id": sweep_id, **values})


def find(database: Database, sweep_id: UUID) -> Scheduler | None:
    """The scheduler of the sweep; None if it has none."""
    with database.readonly() as connection:
        return read(connection, sweep_id)


def read(connection: Connection, sweep_id: UUID) -> Scheduler | None:
    """As `find`, within a transaction."""
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


def runs_by_config(database: Database, sweep_id: UUID) -> list[list[UUID]]:
    """The runs of each config, both in the order of the plan; of ten thousand configs in a moment."""
    grouped: dict[tuple[str, str], list[UUID]] = {}
    with database.readonly() as connection:
        for row in connection.execute(_SQL["list_configs"], {"sweep_id": sweep_id}):
            grouped.setdefault((row["source"], row["config_hash"]), []).append(row["id"])
    return list(grouped.values())


def asha_standing(connection: Connection, sweep_id: UUID) -> AshaStanding | None:
    """How far a sweep with ASHA has come, within a transaction; None for any other sweep. It reads no run by itself."""
    scheduler = read(connection, sweep_id)
    if scheduler is None or scheduler.kind is not SchedulerKind.ASHA:
        return None
    shares = scheduler.settings["rungs"]
    sent, reached, runs = Counter[int](), Counter[int](), 0
    for row in connection.execute(_SQL["count_by_rung"], {"sweep_id": sweep_id}):
        runs += row["runs"]
        if not row["is_scheduled"]:
            continue
        aim = len(shares) - 1 if row["pause_at"] is None else shares.index(row["pause_at"])
        done = len(shares) if row["status"] == "completed" else aim + row["is_there"]
        sent.update(dict.fromkeys(range(max(aim + 1, done)), row["runs"]))
        reached.update(dict.fromkeys(range(done), row["runs"]))
    return AshaStanding(
        rungs=tuple(
            RungCount(share=share, sent=sent[rung], reached=reached[rung]) for rung, share in enumerate(shares)
        ),
        reduction=scheduler.settings["reduction"],
        runs=runs,
        is_over=scheduler.stop is not None,
    )
