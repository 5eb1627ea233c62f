"""What more training of a sweep would buy, and whether less would have said the same."""

from fastapi import APIRouter, Request, Response

from rlsweep.reports.prospects import Prospects, prospects
from rlsweep.reports.shorter_sweep import ShorterSweep, shorter_sweep
from rlsweep.store import sweeps
from rlsweep.web.parameters import database_of
from rlsweep.web.responses import cached_json_response, mark_of_sweep

router = APIRouter(prefix="/sweeps/{sweep}", tags=["sweeps"])


@router.get("/prospects", response_model=Prospects, summary="What more training would buy")
def get_prospects(request: Request, sweep: str) -> Response:
    """The chance of a safe answer by time, for several ways to go on, as `rlsweep report --budget --json` has it."""
    database = database_of(request)
    found = sweeps.get(database, sweep)
    return cached_json_response(request, mark_of_sweep(database, found), lambda: prospects(database, found))


@router.get("/shorter", response_model=ShorterSweep, summary="Whether a shorter sweep would have said the same")
def get_shorter(request: Request, sweep: str) -> Response:
    """The ranks at shares of the budget, and what they say, as `rlsweep report --budget --json` has it."""
    database = database_of(request)
    found = sweeps.get(database, sweep)
    return cached_json_response(request, mark_of_sweep(database, found), lambda: shorter_sweep(database, found))
