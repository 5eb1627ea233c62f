"""Convert rows to the records of `rlsweep.runs`, and a user's references to id ranges and errors."""

import dataclasses
import difflib
import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow

from rlsweep.errors import NotFoundError
from rlsweep.runs import Actor, Budget, EndReason, RunStatus, RunSummary, TrainingRun
from rlsweep.sweep_records import Sweep, SweepStatus

_SWEEP_FIELDS = tuple(field.name for field in dataclasses.fields(Sweep))
_SUMMARY_FIELDS = tuple(field.name for field in dataclasses.fields(RunSummary))
_STORED_FIELDS = tuple(field.name for field in dataclasses.fields(TrainingRun) if field.name not in _SUMMARY_FIELDS)
SUMMARY_COLUMNS = ", ".join(
    f"run.{name}" for name in (*_SUMMARY_FIELDS, "budget_episodes", "budget_total_timesteps") if name != "budget"
)
"""The columns of `run_records as run` that a RunSummary is made of."""

_UNWRITABLE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, except tab and newline, those that turn the direction of writing, and lone surrogates."""

_ID_PREFIX = re.compile(r"[0-9a-f]{4,32}")


def one(row: DictRow | None) -> DictRow:
    """The row of a statement that always gives one."""
    assert row is not None
    return row


def sweep_from_row(row: DictRow) -> Sweep:
    """Convert a row of `sweeps`; columns that the record does not have are ignored."""
    values: dict[str, Any] = {name: row[name] for name in _SWEEP_FIELDS}
    values["status"] = SweepStatus(row["status"])
    values["budget"] = Budget(**row["budget"])
    values["patterns"] = tuple(row["patterns"])
    values["seeds"] = tuple(row["seeds"])
    values["overrides"] = tuple(row["overrides"])
    values["tags"] = tuple(row["tags"])
    return Sweep(**values)


def run_from_row(row: DictRow) -> TrainingRun:
    """Convert a row of `run_records`."""
    values: dict[str, Any] = {name: row[name] for name in _STORED_FIELDS if name != "actor"}
    return TrainingRun(**_summary_values(row), **values, actor=_actor(row))


def summary_from_row(row: DictRow) -> RunSummary:
    """Convert a row with the columns SUMMARY_COLUMNS of `run_records`."""
    return RunSummary(**_summary_values(row))


def _summary_values(row: DictRow) -> dict[str, Any]:
    values: dict[str, Any] = {name: row[name] for name in _SUMMARY_FIELDS if name != "budget"}
    values["budget"] = Budget(episodes=row["budget_episodes"], total_timesteps=row["budget_total_timesteps"])
    values["status"] = RunStatus(row["status"])
    values["tags"] = tuple(row["tags"])
    values["end_reason"] = None if row["end_reason"] is None else EndReason(row["end_reason"])
    return values


def _actor(row: DictRow) -> Actor | None:
    if row["actor_id"] is None:
        return None
    return Actor(cluster=row["actor_cluster"], id=row["actor_id"], node=row["actor_node"], pid=row["actor_pid"])


def storable(text: str) -> str:
    """The text with escapes for characters that PostgreSQL cannot store (NUL, lone surrogates)."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def unwritable(text: str) -> str | None:
    """The first character that a text of a user may not have, as U+XXXX: one that terminals or databases take amiss."""
    found = _UNWRITABLE.search(text)
    return None if found is None else f"U+{ord(found[0]):04X}"


def id_range(reference: str) -> tuple[UUID, UUID] | None:
    """Lowest and highest id that start with `reference`; None unless it is 4 to 32 hex digits, ignoring dashes."""
    digits = reference.lower().replace("-", "")
    if not _ID_PREFIX.fullmatch(digits):
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


def ambiguous(noun: str, reference: str, ids: Sequence[UUID]) -> NotFoundError:
    """Make the error for a reference that several ids start with."""
    listed = ", ".join(str(found) for found in ids[:5])
    more = " and more" if len(ids) > 5 else ""
    return NotFoundError(f"{noun} {reference!r} is ambiguous: {listed}{more}. Give more digits of the id.")


def missing(noun: str, reference: str, command: str, names: Sequence[str] = ()) -> NotFoundError:
    """Make the error for an unknown name or id; similar `names` are suggested, and `command` lists all."""
    near = difflib.get_close_matches(reference, names, n=3)
    suggestion = f" Did you mean {' or '.join(near)}?" if near else ""
    return NotFoundError(f"{noun} not found: {reference!r}.{suggestion} `{command}` lists them.")
