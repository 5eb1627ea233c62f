"""Training runs: the list, its sparklines and agents, and one run."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from rlsweep.config.differences import flat_record
from rlsweep.reports.history import SPARKLINE_POINTS, RunDetail, run_detail, run_mark
from rlsweep.reports.run_scores import RunScore
from rlsweep.reports.score_order import ScoreMemory, list_by_score
from rlsweep.runs import RunSummary
from rlsweep.store import charts, listing, training_runs
from rlsweep.store.listing import Agent
from rlsweep.web.parameters import RunFilters, RunReference, database_of, order_of, read_place, write_cursor
from rlsweep.web.responses import cached_json_response, json_response

router = APIRouter(prefix="/training-runs", tags=["training runs"])

MAX_LISTED = 500
DEFAULT_SORT = "-started_at"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunList:
    """One page. next_cursor: cursor of the next page, null on the last; total: number of matching runs."""

    runs: tuple[RunSummary, ...]
    next_cursor: str | None
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Sparklines:
    """Mean rewards by run id, evenly spaced over each run's episodes."""

    sparklines: dict[UUID, list[float | None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """Scores by run id; runs without one are left out."""

    scores: dict[UUID, RunScore]


@dataclass(frozen=True, kw_only=True, slots=True)
class HyperparametersOfRuns:
    """Hyperparameters by run id, each by its dotted key; runs that are not on record are left out."""

    hyperparameters: dict[UUID, dict[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Agents:
    """The agents, most recently used first."""

    agents: tuple[Agent, ...]


@router.get("", response_model=RunList, summary="The list of training runs")
def list_runs(
    request: Request,
    filters: RunFilters,
    sort: Annotated[
        str,
        Query(
            description="A column, or hyperparameter: and a dotted key; - in front of it sorts descending. By score at "
            "most 1,000 can match.",
            examples=["-hyperparameter:ppo.ent_coef"],
        ),
    ] = DEFAULT_SORT,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 50,
    cursor: Annotated[str | None, Query(description="The next_cursor of the previous page.")] = None,
) -> Response:
    """One page of runs, newest first unless sorted otherwise; unknown values are always last."""
    sort = sort or DEFAULT_SORT
    database, order, after = database_of(request), order_of(sort), read_place(cursor, sort)
    if order is None:
        descending = sort.startswith("-")
        page = list_by_score(database, _memory_of(request), filters, limit, after, descending=descending)
    else:
        page = listing.list_page(database, order, filters, limit, after)
    return json_response(
        request,
        RunList(runs=page.runs, next_cursor=write_cursor(page.next, sort), total=page.total),
    )


@router.get("/sparklines", response_model=Sparklines, summary="A small reward curve of each run")
def sparklines(
    request: Request,
    ids: Annotated[list[RunReference], Query(alias="id", min_length=1, max_length=MAX_LISTED)],
) -> Response:
    """About 24 points per run, each the mean reward of consecutive episodes."""
    database = database_of(request)
    found = listing.sparklines(database, training_runs.ids_of(database, ids), SPARKLINE_POINTS)
    return json_response(request, Sparklines(sparklines=found))


@router.get("/scores", response_model=Scores, summary="The score of each run")
def scores(
    request: Request,
    ids: Annotated[list[RunReference], Query(alias="id", min_length=1, max_length=MAX_LISTED)],
) -> Response:
    """Each run's score by the best source that it has, what that is in words, and its win rate."""
    database = database_of(request)
    marks = charts.marks(database, training_runs.ids_of(database, ids))
    return json_response(request, Scores(scores=_memory_of(request).scores(database, marks)))


@router.get("/hyperparameters", response_model=HyperparametersOfRuns, summary="The hyperparameters of each run")
def hyperparameters(
    request: Request,
    ids: Annotated[list[RunReference], Query(alias="id", min_length=1, max_length=MAX_LISTED)],
) -> Response:
    """The algorithm and every hyperparameter of each run's agent config, by its dotted key."""
    database = database_of(request)
    configs = listing.agent_configs(database, training_runs.ids_of(database, ids))
    found = {run_id: flat_record(agent) for run_id, agent in configs.items()}
    return json_response(request, HyperparametersOfRuns(hyperparameters=found))


@router.get("/agents/list", response_model=Agents, summary="The agents")
def list_agents(request: Request) -> Response:
    """Every agent with the number of its runs, most recently used first."""
    return json_response(request, Agents(agents=tuple(listing.agents(database_of(request)))))


@router.get("/{run_id}", response_model=RunDetail, summary="One training run")
def get_run(request: Request, run_id: str) -> Response:
    """All data of a run, by its id or the start of its id."""
    database = database_of(request)
    run = training_runs.get(database, run_id)
    return cached_json_response(request, run_mark(database, run), lambda: run_detail(database, run))


def _memory_of(request: Request) -> ScoreMemory:
    """The application's memory of scores."""
    memory = request.app.state.scores
    assert isinstance(memory, ScoreMemory)
    return memory
