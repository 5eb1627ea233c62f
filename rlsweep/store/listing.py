"""The list of runs, page by page, sorted and filtered."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow

from rlsweep.runs import RunStatus, RunSummary
from rlsweep.store.database import Connection, Database
from rlsweep.store.listing_order import Key, Order, SortKey, key_of, values_of
from rlsweep.store.queries import composed, load
from rlsweep.store.records import SUMMARY_COLUMNS, id_range, one, summary_from_row

_SQL = load("listing")

SPARKLINE_EPISODES = 8
"""Episodes averaged for each point of a sparkline: enough to show the trend, few enough to be fast."""


MOST_CONFIGS = 2_000
"""Configs that are looked at to find what varies: reading one takes 20 µs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Filters:
    """Filters of the list: agents, statuses, sweeps, environments (an empty tuple matches all), tags, and search words.

    tags: a run must have all of them
    words: part of names, agent, algorithm, environment, description, note or a tag, case-insensitive, or the start of
        the run's id
    """

    agent_ids: tuple[str, ...] = ()
    statuses: tuple[RunStatus, ...] = ()
    sweep_ids: tuple[UUID, ...] = ()
    environments: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    words: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """The last run of a page; the next page starts after it, even if runs were added since.

    value: its value in the sort column, as text; None if it is unknown
    as_of: if sorted by duration, the time up to which running runs are counted, the same on all pages; else None
    """

    value: str | None
    id: UUID
    as_of: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunPage:
    """total: number of runs that match the filters; next: start of the next page, None on the last."""

    runs: tuple[RunSummary, ...]
    total: int
    next: Place | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Agent:
    """An agent, its runs, and when it was last trained or planned."""

    agent_id: str
    runs: int
    latest_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedConfig:
    """An agent config in a sweep.

    together: id of the sweep, or of the run that is in none
    config: path of its file; its short name, if it was given as a dict
    """

    together: UUID
    config: str
    config_hash: str
    name: str
    is_base: bool

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same config in another sweep."""
        return (self.config, self.config_hash)


def list_page(database: Database, order: Order, filters: Filters, limit: int, after: Place | None = None) -> RunPage:
    """Read `limit` runs after `after`, or the first ones."""
    key = key_of(order)
    conditions, values = _conditions(filters)
    values |= values_of(order)
    with database.readonly() as connection:
        total = _count(connection, conditions, values)
        as_of = after.as_of if after else None
        if order.key is SortKey.DURATION and as_of is None:
            as_of = one(connection.execute(_SQL["now"]).fetchone())["now"]
        values |= {"as_of": as_of, "limit": limit + 1}
        rows: list[DictRow] = []
        if after is None or after.value is not None:
            known = [f"{key.expression} is not null"] if key.can_miss else []
            if after is not None:
                sign = "<" if order.descending else ">"
                known.append(f"({key.expression}, run.id) {sign} (%(after_value)s::{key.type}, %(after_id)s::uuid)")
                values |= {"after_value": after.value, "after_id": after.id}
            rows = _rows(connection, order, [*conditions, *known], values)
        if key.can_miss and len(rows) <= limit:
            unknown = [f"{key.expression} is null"]
            if after is not None and after.value is None:
                unknown.append(f"run.id {'<' if order.descending else '>'} %(after_id)s::uuid")
                values |= {"after_id": after.id}
            rows += _rows(connection, order, [*conditions, *unknown], values | {"limit": limit + 1 - len(rows)})
    shown = rows[:limit]
    return RunPage(
        runs=tuple(summary_from_row(row) for row in shown),
        total=total,
        next=_place(shown[-1], key, as_of) if len(rows) > limit else None,
    )


def matching(database: Database, filters: Filters, most: int) -> tuple[dict[UUID, str], int]:
    """The ids of the runs that match, if they are no more than `most`, and their number.

    Each id has a text that changes whenever the run records anything.
    """
    conditions, values = _conditions(filters)
    with database.readonly() as connection:
        total = _count(connection, conditions, values)
        if total > most:
            return {}, total
        statement = composed(_SQL["list_matching"], conditions=_where(conditions))
        rows = connection.execute(statement, values | {"limit": most})
        return {row["id"]: row["mark"] for row in rows}, total


def summaries(database: Database, run_ids: Sequence[UUID]) -> list[RunSummary]:
    """The runs with these ids that are on record, in the given order."""
    statement = composed(_SQL["list_summaries"], columns=SUMMARY_COLUMNS)
    with database.readonly() as connection:
        return [summary_from_row(row) for row in connection.execute(statement, {"run_ids": list(run_ids)})]


def agent_configs(database: Database, run_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """The agent config of each run; a run that is not on record is left out."""
    with database.readonly() as connection:
        rows = connection.execute(_SQL["list_agent_configs"], {"run_ids": list(run_ids)})
        return {row["id"]: row["agent"] or {} for row in rows}


def distinct_agent_configs(database: Database, filters: Filters) -> list[dict[str, Any]]:
    """The different agent configs of the runs that match, at most MOST_CONFIGS."""
    conditions, values = _conditions(filters)
    statement = composed(_SQL["list_distinct_agent_configs"], conditions=_where(conditions))
    with database.readonly() as connection:
        rows = connection.execute(statement, values | {"limit": MOST_CONFIGS})
        return [row["agent"] or {} for row in rows]


def agents(database: Database) -> list[Agent]:
    """Every recorded agent, most recently used first."""
    with database.readonly() as connection:
        return [Agent(**row) for row in connection.execute(_SQL["list_agents"])]


def recorded_configs(database: Database, agent_ids: Sequence[str]) -> list[RecordedConfig]:
    """The configs of these agents in each sweep, the oldest sweep first."""
    with database.readonly() as connection:
        rows = connection.execute(_SQL["list_configs"], {"agent_ids": list(agent_ids)})
        return [RecordedConfig(**row) for row in rows]


def sparklines(database: Database, run_ids: Sequence[UUID], points: int) -> dict[UUID, list[float | None]]:
    """Sample each run's reward at `points` points; a run without episodes gets an empty list."""
    found: dict[UUID, list[float | None]] = {run_id: [] for run_id in run_ids}
    with database.readonly() as connection:
        values = {"run_ids": list(run_ids), "points": points, "width": SPARKLINE_EPISODES}
        for row in connection.execute(_SQL["sample_rewards"], values):
            found[run_ids[row["position"] - 1]].append(row["reward"])
    return found


def _count(connection: Connection, conditions: Sequence[str], values: dict[str, Any]) -> int:
    statement = composed(_SQL["count_runs"], conditions=_where(conditions))
    return int(one(connection.execute(statement, values).fetchone())["runs"])


def _conditions(filters: Filters) -> tuple[list[str], dict[str, Any]]:
    """The SQL conditions of these filters, and the values of their parameters."""
    conditions: list[str] = []
    values: dict[str, Any] = {}
    if filters.agent_ids:
        conditions.append("run.agent_id = any(%(agent_ids)s)")
        values["agent_ids"] = list(filters.agent_ids)
    if filters.statuses:
        conditions.append("run.status = any(%(statuses)s)")
        values["statuses"] = [status.value for status in filters.statuses]
    if filters.sweep_ids:
        conditions.append("run.sweep_id = any(%(sweep_ids)s)")
        values["sweep_ids"] = list(filters.sweep_ids)
    if filters.environments:
        conditions.append("run.environment = any(%(environments)s)")
        values["environments"] = list(filters.environments)
    if filters.tags:
        conditions.append("run.tags <> '{}' and run.tags @> %(tags)s::text[]")  # as the index has it
        values["tags"] = list(filters.tags)
    if words := filters.words.strip():
        places = [
            "strpos(run.search, lower(%(words)s)) > 0",
            "strpos(array_to_string(run.tags, ' '), lower(%(words)s)) > 0",
            "run.sweep_id in (select id from sweeps where strpos(lower(name), lower(%(words)s)) > 0)",
        ]
        values["words"] = words
        if bounds := id_range(words):
            places.append("run.id between %(low)s and %(high)s")
            values |= {"low": bounds[0], "high": bounds[1]}
        conditions.append(f"({' or '.join(places)})")
    return conditions, values


def _where(conditions: Sequence[str]) -> str:
    return " and ".join(conditions) or "true"


def _rows(connection: Connection, order: Order, conditions: Sequence[str], values: dict[str, Any]) -> list[DictRow]:
    direction = "desc" if order.descending else "asc"
    key = key_of(order)
    statement = composed(
        _SQL["list_page"],
        columns=SUMMARY_COLUMNS,
        source=key.source,
        conditions=_where(conditions),
        key=key.expression,
        direction=direction,
    )
    return connection.execute(statement, values).fetchall()


def _place(row: DictRow, key: Key, as_of: datetime | None) -> Place:
    value = row["key"]
    return Place(value=None if value is None else _text_of(value, key), id=row["id"], as_of=as_of)


def _text_of(value: Any, key: Key) -> str:
    """The value of a sort key as PostgreSQL reads it back."""
    if key.type == "jsonb":
        return json.dumps(value)
    return value.isoformat() if isinstance(value, datetime) else str(value)
