"""What is wrong with the training of a sweep's configs, and of one run."""

from fastapi import APIRouter, Request, Response

from rlsweep.reports.diagnosis import RunDiagnosis, SweepDiagnosis, run_diagnosis, sweep_diagnosis
from rlsweep.store import charts, sweeps, training_runs
from rlsweep.web.parameters import database_of
from rlsweep.web.responses import cached_json_response

router = APIRouter(tags=["diagnosis"])


@router.get("/sweeps/{sweep}/diagnosis", response_model=SweepDiagnosis, summary="What is wrong with a sweep's training")
def diagnose_sweep(request: Request, sweep: str) -> Response:
    """Findings of each config with their cures, and strips of the values of its updates."""
    database = database_of(request)
    found = sweeps.get(database, sweep)
    fingerprint = charts.fingerprint(database, training_runs.ids_of_sweep(database, found.id))
    return cached_json_response(
        request, fingerprint, lambda: sweep_diagnosis(database, training_runs.of_sweep(database, found.id))
    )


@router.get(
    "/training-runs/{run_id}/diagnosis", response_model=RunDiagnosis, summary="What is wrong with a run's training"
)
def diagnose_run(request: Request, run_id: str) -> Response:
    """The same of one run, by its id or the start of its id."""
    database = database_of(request)
    run = training_runs.get(database, run_id)
    return cached_json_response(request, charts.fingerprint(database, [run.id]), lambda: run_diagnosis(database, run))
