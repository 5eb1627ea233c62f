"""Sweeps: the list, one sweep, and the comparison of its configs."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from rlsweep.reports.history import SweepDetail, SweepRow, sweep_detail, sweep_row
from rlsweep.reports.population import Population, population_of
from rlsweep.reports.settings_compared import GroupedComparison, compare_by_setting
from rlsweep.reports.summary import SweepReport, summarise
from rlsweep.store import charts, sweep_listing, sweeps, training_runs
from rlsweep.sweep_records import SweepStatus
from rlsweep.web.parameters import IgnoreBlanks, RunIds, database_of, read_sweep_place, write_cursor
from rlsweep.web.responses import cached_json_response, json_response

router = APIRouter(tags=["sweeps"])

_SORT = "-created_at"


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepList:
    """One page. next_cursor: cursor of the next page, null on the last; total: number of matching sweeps."""

    sweeps: tuple[SweepRow, ...]
    next_cursor: str | None
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepLineage:
    """population: null for a sweep that trains none."""

    population: Population | None


@router.get("/sweeps", response_model=SweepList, summary="The list of sweeps")
def list_sweeps(
    request: Request,
    status: Annotated[
        list[SweepStatus] | None,
        IgnoreBlanks,
        Query(description="Only sweeps in this status; may be given several times."),
    ] = None,
    environment: Annotated[
        list[str] | None,
        IgnoreBlanks,
        Query(description="Only sweeps in this environment; may be given several times."),
    ] = None,
    tag: Annotated[
        list[str] | None, IgnoreBlanks, Query(description="Only sweeps with this tag; of several, with all of them.")
    ] = None,
    q: Annotated[str, Query(max_length=500, description="Part of a name, an environment, a note or a tag.")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(description="The next_cursor of the previous page.")] = None,
) -> Response:
    """One page of sweeps, newest first."""
    after = read_sweep_place(cursor, _SORT)
    page = sweep_listing.list_page(
        database_of(request),
        statuses=status or (),
        environments=environment or (),
        tags=[each.lower() for each in tag or ()],
        words=q,
        limit=limit,
        after=after,
    )
    rows = tuple(sweep_row(standing) for standing in page.sweeps)
    return json_response(request, SweepList(sweeps=rows, next_cursor=write_cursor(page.next, _SORT), total=page.total))


@router.get("/sweeps/{sweep}", response_model=SweepDetail, summary="One sweep")
def get_sweep(request: Request, sweep: str) -> Response:
    """All data of a sweep, by its name, its id, the start of its id, or `latest`."""
    return json_response(request, sweep_detail(database_of(request), sweep))


@router.get("/sweeps/{sweep}/report", response_model=SweepReport, summary="Compare a sweep's configs")
def report(request: Request, sweep: str) -> Response:
    """The output of `rlsweep report --json`: the configs, best first, with intervals, verdicts and signs.

    Its key `importance` has an address of its own.
    """
    database = database_of(request)
    found = sweeps.get(database, sweep)
    runs = training_runs.ids_of_checked_sweep(database, found.id)
    fingerprint = f"{charts.fingerprint(database, runs)} {found.status} {found.heartbeat_at}"
    return cached_json_response(request, fingerprint, lambda: summarise(database, found))


@router.get("/sweeps/{sweep}/lineage", response_model=SweepLineage, summary="The genealogy of a population")
def get_lineage(request: Request, sweep: str) -> Response:
    """Who copied whom in a sweep with `--scheduler pbt`, and the lineage of its best member."""
    database = database_of(request)
    found = sweeps.get(database, sweep)
    fingerprint = charts.fingerprint(database, training_runs.ids_of_sweep(database, found.id))
    return cached_json_response(request, fingerprint, lambda: SweepLineage(population=population_of(database, found)))


@router.get("/compare", response_model=GroupedComparison, summary="Compare the configs of any runs")
def compare_runs(request: Request, run: RunIds) -> Response:
    """The same for freely chosen runs, group by group: those of one environment, opponent and budget are compared.

    `id` and `name` of a comparison are null.
    """
    database = database_of(request)
    chosen = training_runs.get_many(database, run)
    fingerprint = charts.fingerprint(database, run)
    return cached_json_response(request, fingerprint, lambda: compare_by_setting(database, chosen))
