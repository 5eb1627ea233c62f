"""Sweeps: the list, one sweep, and what its results can bear."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from rlsweep.reports.history import SweepDetail, SweepRow, sweep_detail, sweep_row
from rlsweep.reports.summary import Comparison, SweepReport, compare, summarise
from rlsweep.runs import SweepStatus
from rlsweep.store import charts, sweeps, training_runs
from rlsweep.web.answers import answer, answer_about
from rlsweep.web.parameters import Given, RunIds, database_of, read_sweep_place, write_cursor

router = APIRouter(tags=["sweeps"])

_SORT = "-created_at"


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepList:
    """One page. next_cursor: for the next one, null at the end; total: how many the filters let through in all."""

    sweeps: tuple[SweepRow, ...]
    next_cursor: str | None
    total: int


@router.get("/sweeps", response_model=SweepList, summary="The list of sweeps")
def list_sweeps(
    request: Request,
    status: Annotated[
        list[SweepStatus] | None, Given, Query(description="In this status; several may be given.")
    ] = None,
    q: Annotated[str, Query(max_length=500, description="Any part of the name.")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(description="The next_cursor of the page before.")] = None,
) -> Response:
    """One page of sweeps, newest first."""
    after = read_sweep_place(cursor, _SORT)
    page = sweeps.list_page(database_of(request), statuses=status or (), words=q, limit=limit, after=after)
    rows = tuple(sweep_row(standing) for standing in page.sweeps)
    return answer(request, SweepList(sweeps=rows, next_cursor=write_cursor(page.next, _SORT), total=page.total))


@router.get("/sweeps/{sweep}", response_model=SweepDetail, summary="One sweep")
def get_sweep(request: Request, sweep: str) -> Response:
    """All that is known of a sweep, by its name, its id, the start of it, or `latest`."""
    return answer(request, sweep_detail(database_of(request), sweep))


@router.get("/sweeps/{sweep}/report", response_model=SweepReport, summary="What a sweep's results can bear")
def report(request: Request, sweep: str) -> Response:
    """The same as `rlsweep report --json`: the configs best first, with intervals, verdicts and signs."""
    database = database_of(request)
    found = sweeps.get(database, sweep)
    runs = training_runs.ids_of_sweep(database, found.id)
    mark = f"{charts.fingerprint(database, runs)} {found.status} {found.heartbeat_at}"
    return answer_about(request, mark, lambda: summarise(database, found))


@router.get("/compare", response_model=Comparison, summary="What any runs' results can bear")
def compare_runs(request: Request, run: RunIds) -> Response:
    """The report of a sweep, of runs chosen freely: `id` and `name` are null."""
    database = database_of(request)
    chosen = training_runs.get_many(database, run)
    mark = charts.fingerprint(database, run)
    return answer_about(request, mark, lambda: compare(database, chosen))
