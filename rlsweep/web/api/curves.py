"""Curves, reduced to the points that a screen can show: of single runs, and of configs over their seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from rlsweep.config.nearest import suggestion
from rlsweep.errors import InputError
from rlsweep.reports.bands import Bands, bands_of
from rlsweep.store import charts, training_runs
from rlsweep.store.charts import EPISODE_AXES, EPISODE_METRICS, METRICS, Axis, ReducedCurve, reduced_curves
from rlsweep.web.parameters import IgnoreBlanks, RunIds, database_of
from rlsweep.web.responses import cached_json_response

router = APIRouter(tags=["curves"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Curves:
    """Reduced curves along `x`, by metric and run."""

    x: Axis
    curves: list[ReducedCurve]


@router.get("/curves", response_model=Curves, summary="Curves of runs")
def curves(
    request: Request,
    run: RunIds,
    metric: Annotated[
        list[str] | None,
        IgnoreBlanks,
        Query(description=f"One of {', '.join(METRICS)}; may be given several times."),
    ] = None,
    x: Annotated[
        Axis, Query(description="Metrics of updates also support update; metrics of evaluations only env_steps.")
    ] = Axis.ENV_STEPS,
    buckets: Annotated[int, Query(ge=1, le=2_000, description="Maximum number of points per run.")] = 400,
) -> Response:
    """Each run's curve in buckets, with minimum, mean and maximum of each, so that spikes stay visible."""
    database = database_of(request)
    metrics = list(dict.fromkeys(metric or ["reward"]))
    check_known(metrics, METRICS)
    fingerprint = charts.fingerprint(database, run)
    return cached_json_response(
        request, fingerprint, lambda: Curves(x=x, curves=reduced_curves(database, run, metrics, x, buckets))
    )


@router.get("/bands", response_model=Bands, summary="Curves of configs over their seeds")
def bands(
    request: Request,
    run: RunIds,
    metric: Annotated[str, Query(description=f"One of {', '.join(EPISODE_METRICS)}.")] = "reward",
    x: Annotated[Axis, Query(description=f"One of {', '.join(EPISODE_AXES)}.")] = Axis.ENV_STEPS,
    smoothing: Annotated[
        float, Query(ge=0, le=1, description="Moving-average window, as a fraction of the shortest run.")
    ] = 0.1,
    points: Annotated[int, Query(ge=2, le=400, description="Points per curve.")] = 200,
) -> Response:
    """Each config's mean over its seeds with a 95% interval, and the curve of every seed."""
    database = database_of(request)
    check_known([metric], EPISODE_METRICS)
    check_known([x], EPISODE_AXES)
    chosen = training_runs.get_many(database, run)
    fingerprint = charts.fingerprint(database, run)
    return cached_json_response(
        request, fingerprint, lambda: bands_of(database, chosen, metric, x, smoothing=smoothing, points=points)
    )


def check_known(given: Sequence[str], known: Sequence[str]) -> None:
    """Raise InputError for a name that is not known."""
    for name in given:
        if name not in known:
            raise InputError(
                f"unknown curve or axis {name!r}{suggestion(name, known)}; possible here are {', '.join(known)}."
            )
