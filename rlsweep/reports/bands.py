"""Learning curves of configs over their seeds, as Training History draws them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from rlsweep.analysis.bands import band, window_means
from rlsweep.analysis.curves import Floats
from rlsweep.analysis.intervals import CONFIDENCE, Method
from rlsweep.analysis.wording import number, percent, plural
from rlsweep.reports.records import ConfigRuns, by_config
from rlsweep.runs import RunStatus, TrainingRun
from rlsweep.store.charts import Axis, bucket_sums, ends
from rlsweep.store.database import Database

BUCKETS_A_POINT = 5
"""Smoothing is counted in fifths of the distance between two points."""

_METHODS = {Method.STUDENT_T: "Student t", Method.BOOTSTRAP: "bootstrap"}
_UNITS = {Axis.ENV_STEPS: "env steps", Axis.EPISODE: "episodes", Axis.SECONDS: "seconds"}


@dataclass(frozen=True, kw_only=True, slots=True)
class SeedCurve:
    """One run along the x of its config; null beyond its end."""

    run_id: UUID
    seed: int
    status: RunStatus
    mean: list[float]


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigBand:
    """One config over its seeds.

    seeds: how many the mean is over; runs that failed or have no episode yet are no part of it
    x: evenly spaced up to the end of the longest run; mean, low, high: null where not all seeds have come
    interval: what low and high are, in words; null where there is none
    """

    name: str
    config_path: str
    is_base: bool
    seeds: int
    x: list[float]
    mean: list[float]
    low: list[float] | None
    high: list[float] | None
    interval: str | None
    runs: tuple[SeedCurve, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bands:
    """smoothing: part of the shortest run that each point is the mean over; smoothing_text: the same in words."""

    x: Axis
    smoothing: float
    smoothing_text: str
    configs: tuple[ConfigBand, ...]


def bands_of(
    database: Database, runs: Sequence[TrainingRun], metric: str, axis: Axis, *, smoothing: float, points: int
) -> Bands:
    """Put the runs of each config together. metric: of an episode."""
    end_of = ends(database, [run.id for run in runs], axis)
    counted = [end_of[run.id] for run in runs if run.id in end_of and run.status is not RunStatus.FAILED]
    width = smoothing * min(counted or end_of.values(), default=0.0)
    return Bands(
        x=axis,
        smoothing=smoothing,
        smoothing_text=_smoothing_text(width, axis),
        configs=tuple(
            _config_band(database, config, metric, axis, end_of, width, points) for config in by_config(runs)
        ),
    )


def _config_band(
    database: Database,
    config: ConfigRuns,
    metric: str,
    axis: Axis,
    end_of: Mapping[UUID, float],
    width: float,
    points: int,
) -> ConfigBand:
    begun = [run for run in config.runs if run.id in end_of]
    span = max((end_of[run.id] for run in begun), default=0.0)
    curves = _curves(database, [run.id for run in begun], metric, axis, end_of, span, width, points)
    kept = [curves[run.id] for run in begun if run.status is not RunStatus.FAILED]
    over = band(np.stack(kept)) if kept else None
    x = np.linspace(span / points, span, points) if begun else np.zeros(0)
    interval = None
    if over is not None and over.method is not None:
        interval = f"{_METHODS[over.method]}, {percent(CONFIDENCE)}, {plural(len(kept), 'seed')}"
    return ConfigBand(
        name=config.name,
        config_path=config.runs[0].config_path,
        is_base=config.is_base,
        seeds=len(kept),
        x=x.tolist(),
        mean=[float("nan")] * len(x) if over is None else over.mean.tolist(),
        low=None if over is None or over.low is None else over.low.tolist(),
        high=None if over is None or over.high is None else over.high.tolist(),
        interval=interval,
        runs=tuple(
            SeedCurve(run_id=run.id, seed=run.seed, status=run.status, mean=curves[run.id].tolist()) for run in begun
        ),
    )


def _curves(
    database: Database,
    run_ids: Sequence[UUID],
    metric: str,
    axis: Axis,
    end_of: Mapping[UUID, float],
    span: float,
    width: float,
    points: int,
) -> dict[UUID, Floats]:
    """Each run's smoothed curve on the config's grid, NaN beyond its end."""
    if span <= 0:
        return {run_id: np.full(points, np.nan) for run_id in run_ids}
    buckets = BUCKETS_A_POINT * points
    # Without smoothing each point is the mean since the point before it.
    window = max(round(width * buckets / span), 1) if width > 0 else BUCKETS_A_POINT
    found = {}
    for run_id, sums in bucket_sums(database, run_ids, metric, axis, span=span, buckets=buckets).items():
        curve = window_means(sums.total, sums.number, window)[BUCKETS_A_POINT - 1 :: BUCKETS_A_POINT]
        # The point at which a run ends is its last, whichever side of it the end lies on by rounding.
        reached = np.arange(1, points + 1) * span / points <= end_of[run_id] * (1 + 1e-9)
        found[run_id] = np.where(reached, curve, np.nan)
    return found


def _smoothing_text(width: float, axis: Axis) -> str:
    unit = _UNITS[axis]
    if width <= 0:
        return "not smoothed: each point is the mean since the point before it"
    return f"each point is the mean of the last {number(width)} {unit}"
