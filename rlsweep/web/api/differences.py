"""Differences of a sweep's configs to its base config, or to another one, over env steps."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from rlsweep.reports.difference_curves import DifferenceCurves, difference_curves
from rlsweep.store import charts, sweeps, training_runs
from rlsweep.store.charts import EPISODE_METRICS
from rlsweep.web.api.curves import check_known
from rlsweep.web.parameters import database_of
from rlsweep.web.responses import cached_json_response

router = APIRouter(tags=["sweeps"])


@router.get(
    "/sweeps/{sweep}/differences",
    response_model=DifferenceCurves,
    summary="Differences to the base config over env steps",
)
def differences(
    request: Request,
    sweep: str,
    to: Annotated[str, Query(max_length=500, description="The config to compare with; the base config if empty.")] = "",
    config: Annotated[str, Query(max_length=500, description="Only this config; all others if empty.")] = "",
    metric: Annotated[str, Query(description=f"One of {', '.join(EPISODE_METRICS)}.")] = "reward",
    smoothing: Annotated[
        float, Query(ge=0, le=1, description="Moving-average window, as a fraction of the shortest run.")
    ] = 0.1,
    points: Annotated[int, Query(ge=2, le=400, description="Points per curve.")] = 100,
) -> Response:
    """Each config less the other one, by equal seeds at equal env steps: mean and 95% interval over seeds."""
    check_known([metric], EPISODE_METRICS)
    database = database_of(request)
    found = sweeps.get(database, sweep)
    runs = training_runs.of_sweep(database, found.id)
    fingerprint = charts.fingerprint(database, [run.id for run in runs])
    return cached_json_response(
        request,
        fingerprint,
        lambda: difference_curves(
            database, runs, metric, to=to, only=config or None, smoothing=smoothing, points=points
        ),
    )
