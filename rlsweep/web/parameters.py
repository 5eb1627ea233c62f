"""Request parameters: the database, run ids, sort orders and cursors."""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import BeforeValidator, StringConstraints

from rlsweep.config.agent import AgentConfig
from rlsweep.config.keys import leaf_keys
from rlsweep.config.nearest import suggestion
from rlsweep.errors import InputError
from rlsweep.runs import RunStatus
from rlsweep.store import sweeps, training_runs
from rlsweep.store.database import Database
from rlsweep.store.listing import Filters, Place
from rlsweep.store.listing_order import Hyperparameter, Order, SortKey
from rlsweep.store.sweep_listing import SweepPlace

MAX_COMPARED = 200
"""Runs that a request may name by id; the list of runs lets the user select at most as many."""

SCORE = "score"
"""The column by which a list is sorted outside of the database."""

HYPERPARAMETER = "hyperparameter:"
"""What stands before the dotted key of a hyperparameter to sort by."""

BAD_CURSOR = "cursor: it does not belong to this list. Leave it out to get the first page."


def database_of(request: Request) -> Database:
    """The application's database."""
    database = request.app.state.database
    assert isinstance(database, Database)
    return database


def _without_blanks(values: Any) -> Any:
    """Drop empty values: a form also sends the fields that the user left empty."""
    return [value for value in values if value != ""] if isinstance(values, list) else values


IgnoreBlanks = BeforeValidator(_without_blanks)
"""For a parameter that may be given several times: empty values are ignored."""


RunReference = Annotated[str, StringConstraints(pattern="^[0-9a-fA-F-]{4,36}$")]
"""The id of a run, or the start of it: 4 hex digits or more."""


def chosen_runs(
    request: Request,
    run: Annotated[
        list[RunReference] | None,
        IgnoreBlanks,
        Query(
            max_length=MAX_COMPARED,
            description="Id of a run, or the start of it (4 hex digits or more); may be given several times.",
        ),
    ] = None,
    sweep: Annotated[
        str,
        Query(
            description="Instead of `run`: all runs of this sweep. Its name, its id, the start of its id, or `latest`.",
            examples=["latest"],
        ),
    ] = "",
) -> list[UUID]:
    """The ids of the requested runs.

    Raises InputError unless exactly one of `run` and `sweep` is given, NotFoundError for the start of no id or several.
    """
    if bool(run) == bool(sweep):
        raise InputError("Give either run (the id of a run, once or more) or sweep (for all its runs).")
    database = database_of(request)
    if run:
        return training_runs.ids_of(database, run)
    return training_runs.ids_of_sweep(database, sweeps.get(database, sweep).id)


RunIds = Annotated[list[UUID], Depends(chosen_runs)]


def run_filters(
    agent_id: Annotated[
        list[str] | None, IgnoreBlanks, Query(description="Only runs of this agent; may be given several times.")
    ] = None,
    status: Annotated[
        list[RunStatus] | None, IgnoreBlanks, Query(description="Only runs in this status; may be given several times.")
    ] = None,
    sweep_id: Annotated[
        list[UUID] | None, IgnoreBlanks, Query(description="Only runs of this sweep; may be given several times.")
    ] = None,
    environment: Annotated[
        list[str] | None, IgnoreBlanks, Query(description="Only runs in this environment; may be given several times.")
    ] = None,
    tag: Annotated[
        list[str] | None, IgnoreBlanks, Query(description="Only runs with this tag; of several, with all of them.")
    ] = None,
    q: Annotated[
        str,
        Query(
            max_length=500,
            description="Part of a config name, agent, algorithm, sweep, environment, description, note or tag, or the "
            "start of an id.",
        ),
    ] = "",
) -> Filters:
    """The filters of a list of runs."""
    return Filters(
        agent_ids=tuple(agent_id or ()),
        statuses=tuple(status or ()),
        sweep_ids=tuple(sweep_id or ()),
        environments=tuple(environment or ()),
        tags=tuple(each.lower() for each in tag or ()),
        words=q,
    )


RunFilters = Annotated[Filters, Depends(run_filters)]


def order_of(sort: str) -> Order | None:
    """Read a sort order: `-mean_reward` is by mean reward, descending; `hyperparameter:gamma` by gamma; None by score.

    Raises InputError for an unknown column or hyperparameter.
    """
    name = sort.removeprefix("-")
    if name == SCORE:
        return None
    if name.startswith(HYPERPARAMETER):
        key = name.removeprefix(HYPERPARAMETER)
        if key not in (keys := leaf_keys(AgentConfig)):
            raise InputError(f"sort: unknown hyperparameter {key!r}{suggestion(key, keys)}.")
        return Order(key=Hyperparameter(key=key), descending=sort.startswith("-"))
    if name not in list(SortKey):
        known = (*SortKey, SCORE)
        raise InputError(f"sort: unknown column {name!r}{suggestion(name, known)}; columns are {', '.join(known)}.")
    return Order(key=SortKey(name), descending=sort.startswith("-"))


def write_cursor(place: Place | SweepPlace | None, sort: str) -> str | None:
    """Encode the start of the next page as an opaque text."""
    if place is None:
        return None
    if isinstance(place, Place):
        parts = [sort, place.value, str(place.id), place.as_of and place.as_of.isoformat()]
    else:
        parts = [sort, place.created_at.isoformat(), str(place.id)]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def read_place(cursor: str | None, sort: str) -> Place | None:
    """Decode a cursor of `write_cursor` for a list of runs. Raises InputError."""
    if not cursor:
        return None
    value, run_id, as_of = _parts(cursor, sort, 3)
    if value is not None and not isinstance(value, str):
        raise InputError(BAD_CURSOR)
    return Place(value=value, id=_uuid(run_id), as_of=None if as_of is None else _moment(as_of))


def read_sweep_place(cursor: str | None, sort: str) -> SweepPlace | None:
    """Decode a cursor of `write_cursor` for a list of sweeps. Raises InputError."""
    if not cursor:
        return None
    created_at, sweep_id = _parts(cursor, sort, 2)
    return SweepPlace(created_at=_moment(created_at), id=_uuid(sweep_id))


def _parts(cursor: str, sort: str, count: int) -> Sequence[Any]:
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        raise InputError(BAD_CURSOR) from None
    if not isinstance(parts, list) or len(parts) != count + 1 or parts[0] != sort:
        raise InputError(BAD_CURSOR)
    return parts[1:]


def _uuid(text: Any) -> UUID:
    try:
        return UUID(text)
    except (ValueError, TypeError, AttributeError):
        raise InputError(BAD_CURSOR) from None


def _moment(text: Any) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise InputError(BAD_CURSOR) from None
