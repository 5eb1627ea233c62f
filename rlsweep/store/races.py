"""Races: their terms and their decisions."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from rlsweep.race_records import DecisionRecord, Race, RaceTerms, Statistic
from rlsweep.store.database import Connection, Database
from rlsweep.store.decisions import Scheduled, put_on_record
from rlsweep.store.queries import load

_SQL = load("races")
_RACE_FIELDS = tuple(field.name for field in fields(Race))


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDecision:
    """A decision before it is on record; see `DecisionRecord`.

    stop: why the race ends with it; None if it goes on
    """

    free: int
    settings: dict[str, Any]
    record: dict[str, Any]
    decision: dict[str, Any]
    stop: str | None


def set_terms(database: Database, sweep_id: UUID, terms: RaceTerms) -> None:
    """Make the sweep a race with these terms, or change the terms of a race; its rung and planned costs stay."""
    with database.connect() as connection:
        insert_terms(connection, sweep_id, terms)


def insert_terms(connection: Connection, sweep_id: UUID, terms: RaceTerms) -> None:
    """As `set_terms`, within a transaction."""
    connection.execute(_SQL["set_terms"], {"sweep_id": sweep_id, **asdict(terms)})


def find(database: Database, sweep_id: UUID) -> Race | None:
    """The race of the sweep; None if the sweep is no race."""
    with database.readonly() as connection:
        row = connection.execute(_SQL["get_race"], {"sweep_id": sweep_id}).fetchone()
    if row is None:
        return None
    return Race(**{name: row[name] for name in _RACE_FIELDS} | {"statistic": Statistic(row["statistic"])})


def decisions(database: Database, sweep_id: UUID, *, most: int | None = None) -> list[DecisionRecord]:
    """All decisions of the race, in order; or at most so many, at even distances, of which the newest is the last."""
    with database.readonly() as connection:
        rows = connection.execute(_SQL["list_decisions"], {"sweep_id": sweep_id, "most": most}).fetchall()
    return [DecisionRecord(**row) for row in rows]


def latest_decision(database: Database, sweep_id: UUID) -> DecisionRecord | None:
    """The newest decision of the race; None before the first."""
    with database.readonly() as connection:
        return latest(connection, sweep_id)


def latest(connection: Connection, sweep_id: UUID) -> DecisionRecord | None:
    """As `latest_decision`, within a transaction."""
    row = connection.execute(_SQL["get_latest_decision"], {"sweep_id": sweep_id}).fetchone()
    return None if row is None else DecisionRecord(**row)


def decide(
    database: Database, sweep_id: UUID, driver: str, decision: NewDecision, chosen: Sequence[Scheduled]
) -> list[UUID] | None:
    """Write a decision and schedule the runs that it chose, as `store.decisions.put_on_record` does."""

    def write(connection: Connection) -> None:
        values = {name: Jsonb(getattr(decision, name)) for name in ("settings", "record", "decision")}
        connection.execute(_SQL["insert_decision"], {"sweep_id": sweep_id, "free": decision.free, **values})
        if decision.stop is not None:
            connection.execute(_SQL["set_stop"], {"sweep_id": sweep_id, "stop": decision.stop})

    return put_on_record(database, sweep_id, driver, write, chosen)


def costs(database: Database, sweep_id: UUID) -> dict[UUID, float]:
    """Env steps of each run of the sweep so far, those of its evaluations included."""
    with database.readonly() as connection:
        rows = connection.execute(_SQL["list_costs"], {"sweep_id": sweep_id}).fetchall()
    return {row["id"]: float(row["spent"]) for row in rows}
