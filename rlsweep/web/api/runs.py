"""Training runs: the list, its sparklines and agents, and one run."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from rlsweep.reports.history import SPARKLINE_POINTS, RunDetail, RunRow, run_detail, run_mark, run_row
from rlsweep.runs import RunStatus
from rlsweep.store import listing, training_runs
from rlsweep.store.listing import Agent, Filters
from rlsweep.web.answers import answer, answer_about
from rlsweep.web.parameters import Given, database_of, order_of, read_place, write_cursor

router = APIRouter(prefix="/training-runs", tags=["training runs"])

MOST_LISTED = 500
DEFAULT_SORT = "-started_at"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunList:
    """One page. next_cursor: for the next one, null at the end; total: how many the filters let through in all."""

    runs: tuple[RunRow, ...]
    next_cursor: str | None
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Sparklines:
    """Mean rewards by run id, evenly spaced over each run's episodes."""

    sparklines: dict[UUID, list[float | None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Agents:
    """The agents, the one last used first."""

    agents: tuple[Agent, ...]


@router.get("", response_model=RunList, summary="The list of training runs")
def list_runs(
    request: Request,
    agent_id: Annotated[list[str] | None, Given, Query(description="Of this agent; several may be given.")] = None,
    status: Annotated[list[RunStatus] | None, Given, Query(description="In this status; several may be given.")] = None,
    sweep_id: Annotated[list[UUID] | None, Given, Query(description="Of this sweep; several may be given.")] = None,
    q: Annotated[
        str,
        Query(
            max_length=500,
            description="Any part of config name, agent, algorithm, sweep or description, or the start of an id.",
        ),
    ] = "",
    sort: Annotated[str, Query(description="A column; with - before it, greatest first.")] = DEFAULT_SORT,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 50,
    cursor: Annotated[str | None, Query(description="The next_cursor of the page before.")] = None,
) -> Response:
    """One page of runs, newest first unless sorted otherwise; what is not known comes last either way."""
    filters = Filters(
        agent_ids=tuple(agent_id or ()), statuses=tuple(status or ()), sweep_ids=tuple(sweep_id or ()), words=q
    )
    sort = sort or DEFAULT_SORT
    page = listing.list_page(database_of(request), order_of(sort), filters, limit, read_place(cursor, sort))
    return answer(
        request,
        RunList(
            runs=tuple(run_row(run) for run in page.runs), next_cursor=write_cursor(page.next, sort), total=page.total
        ),
    )


@router.get("/sparklines", response_model=Sparklines, summary="The course of each run's reward, in little")
def sparklines(
    request: Request,
    ids: Annotated[list[UUID], Query(alias="id", min_length=1, max_length=MOST_LISTED)],
) -> Response:
    """Some 24 points a run, each the mean of a few episodes."""
    found = listing.sparklines(database_of(request), list(dict.fromkeys(ids)), SPARKLINE_POINTS)
    return answer(request, Sparklines(sparklines=found))


@router.get("/agents/list", response_model=Agents, summary="The agents")
def list_agents(request: Request) -> Response:
    """Every agent with the number of its runs, the one last used first."""
    return answer(request, Agents(agents=tuple(listing.agents(database_of(request)))))


@router.get("/{run_id}", response_model=RunDetail, summary="One training run")
def get_run(request: Request, run_id: str) -> Response:
    """All that is known of a run, by its id or the start of it."""
    database = database_of(request)
    run = training_runs.get(database, run_id)
    return answer_about(request, run_mark(database, run), lambda: run_detail(database, run))
