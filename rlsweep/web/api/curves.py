"""Curves, reduced to what a screen can show: single runs, and configs over their seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from rlsweep.config.nearest import suggestion
from rlsweep.errors import InputError
from rlsweep.reports.bands import Bands, bands_of
from rlsweep.store import charts, training_runs
from rlsweep.store.charts import EPISODE_AXES, EPISODE_METRICS, METRICS, Axis, ReducedCurve, reduced_curves
from rlsweep.web.answers import answer_about
from rlsweep.web.parameters import Given, RunIds, database_of

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
        list[str] | None, Given, Query(description=f"Of {', '.join(METRICS)}; several may be given.")
    ] = None,
    x: Annotated[Axis, Query(description="Updates also have update, evaluations env_steps alone.")] = Axis.ENV_STEPS,
    buckets: Annotated[int, Query(ge=1, le=2_000, description="Points a run at the most.")] = 400,
) -> Response:
    """Each run's curve cut into buckets, with the least, mean and greatest value of each: no spike is lost."""
    database = database_of(request)
    metrics = list(dict.fromkeys(metric or ["reward"]))
    _check(metrics, METRICS)
    mark = charts.fingerprint(database, run)
    return answer_about(request, mark, lambda: Curves(x=x, curves=reduced_curves(database, run, metrics, x, buckets)))


@router.get("/bands", response_model=Bands, summary="Curves of configs over their seeds")
def bands(
    request: Request,
    run: RunIds,
    metric: Annotated[str, Query(description=f"One of {', '.join(EPISODE_METRICS)}.")] = "reward",
    x: Annotated[Axis, Query(description=f"One of {', '.join(EPISODE_AXES)}.")] = Axis.ENV_STEPS,
    smoothing: Annotated[
        float, Query(ge=0, le=1, description="Part of the shortest run that each point is the mean over.")
    ] = 0.1,
    points: Annotated[int, Query(ge=2, le=400, description="Points a curve.")] = 200,
) -> Response:
    """The mean over the seeds of each config with its 95% interval, and every seed."""
    database = database_of(request)
    _check([metric], EPISODE_METRICS)
    _check([x], EPISODE_AXES)
    chosen = training_runs.get_many(database, run)
    mark = charts.fingerprint(database, run)
    return answer_about(
        request, mark, lambda: bands_of(database, chosen, metric, x, smoothing=smoothing, points=points)
    )


def _check(given: Sequence[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise InputError(
                f"{name!r} is no curve of this kind{suggestion(name, known)}; there are {', '.join(known)}."
            )
