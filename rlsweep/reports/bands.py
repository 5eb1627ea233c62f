"""Learning curves of configs over their seeds, as Training History draws them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from rlsweep.analysis.bands import Band, band, window_means
from rlsweep.analysis.bounds import ANY, LENGTH, SHARE, WIN_OR_LOSE, Bounds
from rlsweep.analysis.curves import Floats
from rlsweep.analysis.intervals import CONFIDENCE, Method
from rlsweep.analysis.wording import number, percent, plural
from rlsweep.reports.records import ConfigRuns, by_config
from rlsweep.runs import RunStatus, TrainingRun
from rlsweep.store.charts import Axis, BucketSums, bucket_sums, ends
from rlsweep.store.database import Database

BUCKETS_A_POINT = 5
"""Smoothing is counted in fifths of the distance between two points."""

REWARD = "reward"
_BOUNDS: Mapping[str, Bounds] = {"win": SHARE, "length": LENGTH}
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
    x: evenly spaced up to the end of the longest run; mean, low, high: null where not all seeds have
        come; empty or null where no run counts
    interval: what low and high are, in words; null where there is none
    """

    name: str
    config_path: str | None
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
    """smoothing: part of the shortest run that each point is the mean over; smoothing_text: the same in words.

    least, greatest: the values that are possible, where bands end; null where that is not known
    wins_or_loses: whether each reward is -1, 0 or 1, so that the share of wins tells all
    """

    x: Axis
    smoothing: float
    smoothing_text: str
    least: float | None
    greatest: float | None
    wins_or_loses: bool
    configs: tuple[ConfigBand, ...]


def bands_of(
    database: Database, runs: Sequence[TrainingRun], metric: str, axis: Axis, *, smoothing: float, points: int
) -> Bands:
    """Put the runs of each config together. metric: of an episode."""
    end_of = ends(database, [run.id for run in runs], axis)
    counted = [end_of[run.id] for run in runs if run.id in end_of and run.status is not RunStatus.FAILED]
    width = smoothing * min(counted or end_of.values(), default=0.0)
    configs = by_config(runs)
    grids = [_grid(config, end_of, points) for config in configs]
    span_of = {run_id: grid.span for grid in grids for run_id in grid.end_of if grid.span > 0}
    sums = bucket_sums(database, span_of, metric, axis, BUCKETS_A_POINT * points)
    wins_or_loses = metric == REWARD and bool(sums) and all(each.wins_or_loses for each in sums.values())
    within = WIN_OR_LOSE if wins_or_loses else _BOUNDS.get(metric, ANY)
    least, greatest = (value if math.isfinite(value) else None for value in within)
    return Bands(
        x=axis,
        smoothing=smoothing,
        smoothing_text=smoothing_text(width, axis),
        least=least,
        greatest=greatest,
        wins_or_loses=wins_or_loses,
        configs=tuple(
            _config_band(
                config, {run_id: grid.curve(run_id, sums[run_id], width) for run_id in grid.end_of}, grid.x, within
            )
            for config, grid in zip(configs, grids, strict=True)
        ),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """The points that some curves share. end_of: where each of its runs ends; span: the longest's end."""

    points: int
    span: float
    end_of: Mapping[UUID, float]

    @property
    def x(self) -> Floats:
        """Evenly spaced up to the span, (points,)."""
        return np.linspace(self.span / self.points, self.span, self.points)

    def curve(self, run_id: UUID, sums: BucketSums, width: float) -> Floats:
        """The run's smoothed curve, NaN beyond its end."""
        # Without smoothing each point is the mean since the point before it.
        window = max(round(width * sums.number.size / self.span), 1) if width > 0 else BUCKETS_A_POINT
        means = window_means(sums.total, sums.number, window)[BUCKETS_A_POINT - 1 :: BUCKETS_A_POINT]
        # The point at which a run ends is its last, whichever side of it the end lies on by rounding.
        return np.where(self.x <= self.end_of[run_id] * (1 + 1e-9), means, np.nan)


def _grid(config: ConfigRuns, end_of: Mapping[UUID, float], points: int) -> Grid:
    """Up to the end of the longest run; runs that have not come anywhere are no part of it."""
    ours = {run.id: end_of[run.id] for run in config.runs if end_of.get(run.id, 0.0) > 0}
    return Grid(points=points, span=max(ours.values(), default=0.0), end_of=ours)


def _config_band(config: ConfigRuns, curves: Mapping[UUID, Floats], x: Floats, within: Bounds) -> ConfigBand:
    begun = [run for run in config.runs if run.id in curves]
    kept = [curves[run.id] for run in begun if run.status is not RunStatus.FAILED]
    over = band(np.stack(kept)) if kept else None
    return ConfigBand(
        name=config.name,
        config_path=config.runs[0].config_path,
        is_base=config.is_base,
        seeds=len(kept),
        x=x.tolist() if begun else [],
        mean=[] if over is None else over.mean.tolist(),
        low=None if over is None or over.low is None else over.low.clip(*within).tolist(),
        high=None if over is None or over.high is None else over.high.clip(*within).tolist(),
        interval=None if over is None else interval_text(over, len(kept)),
        runs=tuple(
            SeedCurve(run_id=run.id, seed=run.seed, status=run.status, mean=curves[run.id].tolist()) for run in begun
        ),
    )


def interval_text(over: Band, seeds: int) -> str | None:
    """How the band was made, such as `Student t, 95%, 3 seeds`; None where there is none."""
    return None if over.method is None else f"{_METHODS[over.method]}, {percent(CONFIDENCE)}, {plural(seeds, 'seed')}"


def smoothing_text(width: float, axis: Axis) -> str:
    """What each point is the mean over, for a window of this width along the axis."""
    unit = _UNITS[axis]
    if width <= 0:
        return "not smoothed: each point is the mean since the point before it"
    return f"each point is the mean of the last {number(width)} {unit}"
