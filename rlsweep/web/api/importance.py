"""Which hyperparameters moved the score of a sweep."""

from fastapi import APIRouter, Request, Response

from rlsweep.reports.importance import Importance, importance
from rlsweep.store import sweeps
from rlsweep.web.importance_process import ImportanceProcess
from rlsweep.web.parameters import database_of
from rlsweep.web.responses import cached_json_response, mark_of_sweep

router = APIRouter(prefix="/sweeps/{sweep}", tags=["sweeps"])


@router.get("/importance", response_model=Importance, summary="Which hyperparameters moved the score")
def get_importance(request: Request, sweep: str) -> Response:
    """The share of the differences in score that each key explains, with its range, and the belief of each config."""
    database = database_of(request)
    found = sweeps.get(database, sweep)
    process = request.app.state.importance
    assert isinstance(process, ImportanceProcess)
    return cached_json_response(
        request, mark_of_sweep(database, found), lambda: importance(database, found, process.shares)
    )
