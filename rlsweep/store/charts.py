"""Curves reduced by the database to what a screen can show: a run of a million episodes sends some hundred points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import LiteralString
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from rlsweep.errors import InputError
from rlsweep.store.database import Database
from rlsweep.store.queries import composed, load
from rlsweep.store.records import missing

_SQL = load("charts")


class Axis(StrEnum):
    """What a curve runs along."""

    ENV_STEPS = "env_steps"
    EPISODE = "episode"
    SECONDS = "seconds"
    UPDATE = "update"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReducedCurve:
    """One metric of one run; lists of one length, along x.

    x: where each bucket's last row lies
    min, mean, max: over the bucket, so that a single spike stays; None where no row of it has a value
    count: how many values
    """

    run_id: UUID
    metric: str
    x: list[float]
    min: list[float | None]
    mean: list[float | None]
    max: list[float | None]
    count: list[int]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Source:
    """A table of curves. order: its rows' order within a run; axes: what it can be drawn along; values: its metrics."""

    table: LiteralString
    order: LiteralString
    axes: Mapping[Axis, LiteralString]
    values: Mapping[str, LiteralString]


_SOURCES = (
    _Source(
        table="episodes",
        order="episode",
        axes={
            Axis.ENV_STEPS: "episodes.env_steps",
            Axis.EPISODE: "episodes.episode",
            Axis.SECONDS: "episodes.seconds",
        },
        values={
            "reward": "reward",
            "win": "case when outcome = 'win' then 1.0::double precision when outcome is not null then 0 end",
            "length": "length",
        },
    ),
    _Source(
        table="updates",
        order='"update"',
        axes={Axis.ENV_STEPS: "updates.env_steps", Axis.UPDATE: 'updates."update"'},
        values={
            "policy_loss": "policy_loss",
            "value_loss": "value_loss",
            "entropy": "entropy",
            "approx_kl": "approx_kl",
            "clip_fraction": "clip_fraction",
            "explained_variance": "explained_variance",
            "learning_rate": "learning_rate",
            "steps_per_second": "steps_per_second",
        },
    ),
    _Source(
        table="evaluations",
        order="env_steps",
        axes={Axis.ENV_STEPS: "evaluations.env_steps"},
        values={"eval_mean_reward": "mean_reward", "eval_win_rate": "win_rate"},
    ),
)
_EPISODES = _SOURCES[0]

METRICS = tuple(name for source in _SOURCES for name in source.values)
"""What can be drawn."""

EPISODE_METRICS = tuple(_EPISODES.values)
EPISODE_AXES = tuple(_EPISODES.axes)


def reduced_curves(
    database: Database, run_ids: Sequence[UUID], metrics: Sequence[str], axis: Axis, buckets: int
) -> list[ReducedCurve]:
    """Every metric of every run in at most so many points; a run without rows gets empty lists.

    Raises InputError for a metric that is not recorded along that axis.
    """
    curves = {}
    with database.readonly() as connection:
        for source in _SOURCES:
            wanted = [metric for metric in metrics if metric in source.values]
            if not wanted:
                continue
            statement = _reduction(source, wanted, axis)
            rows = connection.execute(statement, {"run_ids": list(run_ids), "buckets": buckets}).fetchall()
            by_run: dict[int, list[dict[str, float]]] = {place: [] for place in range(1, len(run_ids) + 1)}
            for row in rows:
                by_run[row["position"]].append(row)
            for place, run_id in enumerate(run_ids, start=1):
                for number, metric in enumerate(wanted):
                    curves[run_id, metric] = _curve(run_id, metric, number, by_run[place])
    return [curves[run_id, metric] for metric in metrics for run_id in run_ids]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BucketSums:
    """Sum and number of one run's values in each bucket of a grid; (buckets,) float64 each."""

    total: NDArray[np.float64]
    number: NDArray[np.float64]


def ends(database: Database, run_ids: Sequence[UUID], axis: Axis) -> dict[UUID, float]:
    """Where each run's episodes end along the axis; runs without episodes are left out."""
    with database.readonly() as connection:
        rows = connection.execute(composed(_SQL["ends"], x=_EPISODES.axes[axis]), {"run_ids": list(run_ids)})
        return {run_ids[row["position"] - 1]: row["last"] for row in rows}


def bucket_sums(
    database: Database, run_ids: Sequence[UUID], metric: str, axis: Axis, *, span: float, buckets: int
) -> dict[UUID, BucketSums]:
    """The runs' values of an episode metric over one grid: so many buckets of equal width from 0 to `span`."""
    found = {
        run_id: BucketSums(total=np.zeros(buckets, np.float64), number=np.zeros(buckets, np.float64))
        for run_id in run_ids
    }
    statement = composed(_SQL["sums"], x=_EPISODES.axes[axis], value=_EPISODES.values[metric])
    with database.readonly() as connection:
        for row in connection.execute(statement, {"run_ids": list(run_ids), "buckets": buckets, "span": span}):
            if row["number"]:
                sums = found[run_ids[row["position"] - 1]]
                sums.total[row["bucket"] - 1] = row["total"]
                sums.number[row["bucket"] - 1] = row["number"]
    return found


def fingerprint(database: Database, run_ids: Sequence[UUID]) -> str:
    """What changes whenever any of these runs records anything. Raises NotFoundError."""
    with database.readonly() as connection:
        rows = connection.execute(_SQL["list_marks"], {"run_ids": list(run_ids)})
        marks = {row["id"]: row["mark"] for row in rows}
    for run_id in run_ids:
        if run_id not in marks:
            raise missing("Training run", str(run_id), "rlsweep runs")
    return "\n".join(marks[run_id] for run_id in run_ids)


def _reduction(source: _Source, metrics: Sequence[str], axis: Axis) -> sql.Composed:
    if axis not in source.axes:
        known = " or ".join(source.axes)
        raise InputError(f"{', '.join(metrics)} is recorded along {known}, not along {axis}. Give x={known}.")
    x = source.axes[axis]
    whole = axis is not Axis.SECONDS
    bucket = (
        f"({x} * %(buckets)s::bigint - 1) / last"
        if whole
        else f"greatest(1, ceil({x} * %(buckets)s / nullif(last, 0)))"
    )
    aggregates = [
        f"{function}({source.values[metric]}) as {function}_{number}"
        for number, metric in enumerate(metrics)
        for function in ("min", "avg", "max", "count")
    ]
    return composed(
        _SQL["reduce"], x=x, aggregates=", ".join(aggregates), table=source.table, order=source.order, bucket=bucket
    )


def _curve(run_id: UUID, metric: str, number: int, rows: Sequence[dict[str, float]]) -> ReducedCurve:
    return ReducedCurve(
        run_id=run_id,
        metric=metric,
        x=[row["x"] for row in rows],
        min=[row[f"min_{number}"] for row in rows],
        mean=[None if row[f"avg_{number}"] is None else float(row[f"avg_{number}"]) for row in rows],
        max=[row[f"max_{number}"] for row in rows],
        count=[int(row[f"count_{number}"]) for row in rows],
    )
