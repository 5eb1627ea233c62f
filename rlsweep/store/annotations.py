"""What people write about sweeps and runs: a note, and tags to filter by."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from psycopg.rows import DictRow
from psycopg.sql import Composed

from rlsweep.errors import ChangedMeanwhileError, InputError
from rlsweep.runs import RunSummary
from rlsweep.store.database import Database
from rlsweep.store.queries import composed, load
from rlsweep.store.records import missing, unwritable
from rlsweep.sweep_records import Sweep

MAX_NOTE = 4_000
"""Characters of a note, as in the table."""

MAX_TAGS = 20
"""Tags of a sweep or run, as in the table."""

MAX_TAG = 40
"""Characters of a tag."""

_SQL = load("annotations")
_TAG = re.compile(r"\w[\w.:/-]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Annotation:
    """What is written about a sweep or a run. note: empty without one; version: number of changes so far."""

    note: str
    tags: tuple[str, ...]
    version: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Tag:
    """A tag, and the number of runs and of sweeps that have it."""

    tag: str
    runs: int
    sweeps: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """An environment's id, and the number of its runs."""

    environment: str
    runs: int


def checked_note(text: str) -> str:
    """The note as it is stored: lines end with LF, and blanks around it are removed. Raises InputError."""
    note = text.replace("\r\n", "\n").strip()
    if len(note) > MAX_NOTE:
        raise InputError(f"The note has {len(note):,} characters; at most {MAX_NOTE:,} are possible. Shorten it.")
    if sign := unwritable(note):
        raise InputError(f"The note contains the control character {sign}. Remove it.")
    return note


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """The tags as they are stored: lower case, sorted, each once. Raises InputError."""
    found = sorted({tag.strip().lower() for tag in tags})
    for tag in found:
        if len(tag) > MAX_TAG or not _TAG.fullmatch(tag):
            raise InputError(
                f"Tag {tag[: 2 * MAX_TAG]!r} cannot be used. Write at most {MAX_TAG} letters, digits and - _ . : /, "
                "beginning with a letter or digit."
            )
    if len(found) > MAX_TAGS:
        raise InputError(f"{len(found)} tags are too many; at most {MAX_TAGS} are possible. Remove some.")
    return tuple(found)


def annotate(
    database: Database,
    target: Sweep | RunSummary,
    *,
    note: str | None = None,
    tag: Iterable[str] = (),
    untag: Iterable[str] = (),
) -> Annotation:
    """Change the note, unless it is None, and add and remove tags; return what is written then.

    A tag that is there already, or is to be removed and is not there, is no error.

    Raises InputError for a note or tags that cannot be stored, NotFoundError if the target was deleted.
    """
    written = None if note is None else checked_note(note)
    added, removed = checked_tags(tag), checked_tags(untag)
    if both := sorted({*added} & {*removed}):
        raise InputError(f"Tag {both[0]!r} is to be added and removed at once. Name it once.")
    with database.connect() as connection:
        values: dict[str, Any] = {"id": target.id}
        row = connection.execute(_statement("lock_annotation", target), values).fetchone()
        now = _annotation(target, row)
        wanted = Annotation(
            note=now.note if written is None else written,
            tags=checked_tags([each for each in (*now.tags, *added) if each not in removed]),
            version=now.version,
        )
        if wanted == now:
            return now
        values |= {"note": wanted.note, "tags": list(wanted.tags)}
        return _annotation(target, connection.execute(_statement("write_annotation", target), values).fetchone())


def replace(
    database: Database, target: Sweep | RunSummary, *, note: str, tags: Iterable[str], version: int
) -> Annotation:
    """Replace note and tags, as they were read in `version`; return what is written then.

    Raises ChangedMeanwhileError if they have another version now, InputError for a note or tags that cannot be stored,
    NotFoundError if the target was deleted.
    """
    values = {"id": target.id, "note": checked_note(note), "tags": list(checked_tags(tags))}
    with database.connect() as connection:
        now = _annotation(target, connection.execute(_statement("lock_annotation", target), values).fetchone())
        if now.version != version:
            raise ChangedMeanwhileError("Note and tags were changed by somebody else meanwhile. Look at them first.")
        return _annotation(target, connection.execute(_statement("write_annotation", target), values).fetchone())


def annotation_of(target: Sweep | RunSummary) -> Annotation:
    """What the record says."""
    return Annotation(note=target.note, tags=target.tags, version=target.note_version)


def tags(database: Database) -> list[Tag]:
    """Every tag of any run or sweep, in alphabetical order."""
    with database.readonly() as connection:
        return [Tag(**row) for row in connection.execute(_SQL["count_tags"])]


def environments(database: Database) -> list[Environment]:
    """Every environment that a run was trained in, in alphabetical order."""
    with database.readonly() as connection:
        return [Environment(**row) for row in connection.execute(_SQL["count_environments"])]


def _statement(name: str, target: Sweep | RunSummary) -> Composed:
    return composed(_SQL[name], table="sweeps" if isinstance(target, Sweep) else "training_runs")


def _annotation(target: Sweep | RunSummary, row: DictRow | None) -> Annotation:
    """Convert a row. Raises NotFoundError if there is none: the target was deleted meanwhile."""
    if row is None:
        if isinstance(target, Sweep):
            raise missing("Sweep", target.name, "rlsweep sweeps")
        raise missing("Training run", str(target.id), "rlsweep runs")
    return Annotation(note=row["note"], tags=tuple(row["tags"]), version=row["version"])
