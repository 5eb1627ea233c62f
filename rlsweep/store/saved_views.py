"""Saved views: the address of a list or a comparison under a name."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode
from uuid import UUID, uuid4

from psycopg.errors import UniqueViolation
from psycopg.rows import DictRow

from rlsweep.errors import ChangedMeanwhileError, InputError, NotFoundError
from rlsweep.store.database import Database
from rlsweep.store.queries import load
from rlsweep.store.records import one, unwritable

MAX_VIEWS = 200
"""Views on record."""

MAX_NAME = 80
"""Characters of a view's name, as in the table."""

MAX_QUERY = 16_000
"""Characters of a view's query, as in the table; a comparison of 200 runs has about 7,500."""

_SQL = load("saved_views")
_LEFT_OUT = ("token", "cursor")


class ViewPage(StrEnum):
    """The pages whose address holds a view."""

    RUNS = "runs"
    SWEEPS = "sweeps"
    COMPARE = "compare"


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedView:
    """A view under a name.

    name: unique, upper and lower case alike
    query: the query of the page's address, without `?`; empty for the page as it is at first
    version: 1, then one more with each change
    """

    id: UUID
    name: str
    page: ViewPage
    query: str
    version: int


def all_views(database: Database) -> list[SavedView]:
    """Every saved view, in alphabetical order."""
    with database.readonly() as connection:
        return [_view(row) for row in connection.execute(_SQL["list_views"])]


def save(database: Database, *, name: str, page: ViewPage, query: str) -> SavedView:
    """Save a view under a new name.

    Raises InputError for a name that is taken or cannot be used, a query that is too long, or one view too many.
    """
    wanted = checked_name(name)
    values = {"id": uuid4(), "name": wanted, "page": page.value, "query": checked_query(query)}
    with database.connect() as connection:
        connection.execute(_SQL["lock_views"])
        if len(connection.execute(_SQL["list_views"]).fetchall()) >= MAX_VIEWS:
            raise InputError(f"There are {MAX_VIEWS} saved views, which is the most. Delete one first.")
        try:
            return _view(one(connection.execute(_SQL["insert_view"], values).fetchone()))
        except UniqueViolation as exc:
            raise _taken(wanted) from exc


def rename(database: Database, view_id: UUID, *, name: str, version: int) -> SavedView:
    """Give the view, as it was read in `version`, another name.

    Raises NotFoundError, InputError for a name that is taken or cannot be used, ChangedMeanwhileError if it has another
    version now.
    """
    wanted = checked_name(name)
    values = {"id": view_id, "name": wanted}
    with database.connect() as connection:
        connection.execute(_SQL["lock_views"])
        row = connection.execute(_SQL["get_view"], values).fetchone()
        if row is None:
            raise _missing(view_id)
        if row["version"] != version:
            raise ChangedMeanwhileError(f"Somebody else has renamed this view: {row['name']!r}. Look at it first.")
        try:
            return _view(one(connection.execute(_SQL["rename_view"], values).fetchone()))
        except UniqueViolation as exc:
            raise _taken(wanted) from exc


def get(database: Database, view_id: UUID) -> SavedView:
    """The view with this id. Raises NotFoundError."""
    with database.readonly() as connection:
        row = connection.execute(_SQL["get_view"], {"id": view_id}).fetchone()
    if row is None:
        raise _missing(view_id)
    return _view(row)


def delete(database: Database, view_id: UUID) -> None:
    """Delete the view. Raises NotFoundError if it is gone already."""
    with database.connect() as connection:
        if not connection.execute(_SQL["delete_view"], {"id": view_id}).rowcount:
            raise _missing(view_id)


def checked_name(name: str) -> str:
    """The name as it is stored, with single blanks. Raises InputError."""
    found = " ".join(name.split())
    if not 1 <= len(found) <= MAX_NAME:
        raise InputError(f"The name of a view has 1 to {MAX_NAME} characters, not {len(found)}. Choose another one.")
    if sign := unwritable(found):
        raise InputError(f"The name contains the control character {sign}. Remove it.")
    return found


def checked_query(query: str) -> str:
    """The query as it is stored, encoded anew, without what belongs to one visit only. Raises InputError."""
    try:
        pairs = parse_qsl(query.removeprefix("?"), max_num_fields=1_000)
        found = urlencode([pair for pair in pairs if pair[0] not in _LEFT_OUT])
    except ValueError as exc:
        raise InputError("query: it cannot be read as the query of an address. Save the view from its page.") from exc
    if len(found) > MAX_QUERY:
        raise InputError(f"The view's address has {len(found):,} characters; at most {MAX_QUERY:,} are possible.")
    return found


def _view(row: DictRow) -> SavedView:
    return SavedView(**{**row, "page": ViewPage(row["page"])})


def _missing(view_id: UUID) -> NotFoundError:
    return NotFoundError(f"View not found: {view_id}. It was deleted; the menu Views lists those that there are.")


def _taken(name: str) -> InputError:
    return InputError(f"There is a view named {name!r} already. Choose another name.")
