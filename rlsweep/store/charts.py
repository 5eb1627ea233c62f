"""Curves that the database reduces to the points that a screen can show: a few hundred for a million episodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, LiteralString
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import DictRow

from rlsweep.errors import InputError
from rlsweep.store.database import Database
from rlsweep.store.queries import composed, load
from rlsweep.store.records import missing
from rlsweep.store.side_by_side import side_by_side

_SQL = load("charts")


class Axis(StrEnum):
    """The x axis of a curve."""

    ENV_STEPS = "env_steps"
    EPISODE = "episode"
    SECONDS = "seconds"
    UPDATE = "update"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReducedCurve:
    """One metric of one run, in buckets along x; all lists have the same length.

    x: position of each bucket's last row
    min, mean, max: over the bucket, so that a single spike stays visible; None for a bucket without values
    count: number of values in the bucket
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
    """A table with curves.

    order: order of its rows within a run
    axes: its possible x axes
    values: its metrics
    condition: the rows that belong to the curves
    """

    table: LiteralString
    order: LiteralString
    axes: Mapping[Axis, LiteralString]
    values: Mapping[str, LiteralString]
    condition: LiteralString = "true"


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
            "gradient_steps": "gradient_steps",
            "learning_rate": "learning_rate",
            "steps_per_second": "steps_per_second",
        },
    ),
    _Source(
        table="evaluations",
        order="env_steps",
        axes={Axis.ENV_STEPS: "evaluations.env_steps"},
        values={"eval_mean_reward": "mean_reward", "eval_win_rate": "win_rate"},
        condition="kind = 'periodic'",
    ),
)
_EPISODES = _SOURCES[0]

METRICS = tuple(name for source in _SOURCES for name in source.values)
"""All metrics that have curves."""

EPISODE_METRICS = tuple(_EPISODES.values)
EPISODE_AXES = tuple(_EPISODES.axes)


def reduced_curves(
    database: Database, run_ids: Sequence[UUID], metrics: Sequence[str], axis: Axis, buckets: int
) -> list[ReducedCurve]:
    """Read each metric of each run in at most `buckets` points; a run without rows gets empty lists.

    Raises InputError for a metric that is not recorded along this axis.
    """
    curves = {}
    for source in _SOURCES:
        wanted = [metric for metric in metrics if metric in source.values]
        if not wanted:
            continue
        by_run = _rows_by_run(database, _reduction(source, wanted, axis), {"buckets": buckets}, run_ids=run_ids)
        for run_id, rows in by_run.items():
            for number, metric in enumerate(wanted):
                curves[run_id, metric] = _curve(run_id, metric, number, rows)
    return [curves[run_id, metric] for metric in metrics for run_id in run_ids]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RewardMeans:
    """Mean reward of one run's episodes in buckets of env steps; both (buckets,), float64.

    env_steps: of each bucket's last episode; buckets without one are left out
    """

    env_steps: NDArray[np.float64]
    mean: NDArray[np.float64]


def reward_means(database: Database, run_ids: Sequence[UUID], points: int) -> dict[UUID, RewardMeans]:
    """Each run's training reward in at most `points` buckets; a run without episodes gets empty arrays."""
    statement = composed(_SQL["reward_means"])
    by_run = _rows_by_run(database, statement, {"points": points}, run_ids=run_ids)
    return {
        run_id: RewardMeans(
            env_steps=np.frombuffer(row["env_steps"] or b"", dtype=">i8").astype(np.float64),
            mean=np.frombuffer(row["mean"] or b"", dtype=">f8").astype(np.float64),
        )
        for run_id, (row,) in by_run.items()
    }


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BucketSums:
    """Sum and number of one run's values in each bucket of a grid; each of shape (buckets,), float64.

    wins_or_loses: whether each value is -1, 0 or 1
    """

    total: NDArray[np.float64]
    number: NDArray[np.float64]
    wins_or_loses: bool


def ends(database: Database, run_ids: Sequence[UUID], axis: Axis) -> dict[UUID, float]:
    """The x value of each run's last episode; runs without episodes are left out."""
    with database.readonly() as connection:
        rows = connection.execute(composed(_SQL["ends"], x=_EPISODES.axes[axis]), {"run_ids": list(run_ids)})
        return {run_ids[row["position"] - 1]: row["last"] for row in rows}


def bucket_sums(
    database: Database, span_of: Mapping[UUID, float], metric: str, axis: Axis, buckets: int
) -> dict[UUID, BucketSums]:
    """Sum each run's values of an episode metric in `buckets` buckets of equal width, from 0 to the run's span."""
    statement = composed(_SQL["sums"], x=_EPISODES.axes[axis], value=_EPISODES.values[metric])
    by_run = _rows_by_run(
        database, statement, {"buckets": buckets}, run_ids=list(span_of), spans=list(span_of.values())
    )
    found = {}
    for run_id, (row,) in by_run.items():
        total, number = np.zeros(buckets, np.float64), np.zeros(buckets, np.float64)
        place = np.frombuffer(row["bucket"] or b"", dtype=">i8") - 1
        total[place] = np.frombuffer(row["total"] or b"", dtype=">f8")
        number[place] = np.frombuffer(row["number"] or b"", dtype=">i8")
        found[run_id] = BucketSums(total=total, number=number, wins_or_loses=bool(row["wins_or_loses"]))
    return found


def fingerprint(database: Database, run_ids: Sequence[UUID]) -> str:
    """A text that changes whenever one of these runs records anything. Raises NotFoundError."""
    found = marks(database, run_ids)
    for run_id in run_ids:
        if run_id not in found:
            raise missing("Training run", str(run_id), "rlsweep runs")
    return "\n".join(found[run_id] for run_id in run_ids)


def marks(database: Database, run_ids: Sequence[UUID]) -> dict[UUID, str]:
    """For each run on record a text that changes whenever it records anything."""
    with database.readonly() as connection:
        return {row["id"]: row["mark"] for row in connection.execute(_SQL["list_marks"], {"run_ids": list(run_ids)})}


def _reduction(source: _Source, metrics: Sequence[str], axis: Axis) -> sql.Composed:
    if axis not in source.axes:
        known = " or ".join(source.axes)
        raise InputError(f"{', '.join(metrics)}: recorded along {known}, not along {axis}. Use x={known}.")
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
        for function in ("min", "sum", "max", "count")
    ]
    return composed(
        _SQL["reduce"],
        x=x,
        aggregates=", ".join(aggregates),
        table=source.table,
        condition=source.condition,
        order=source.order,
        bucket=bucket,
    )


def _rows_by_run(
    database: Database,
    statement: sql.Composed,
    values: Mapping[str, Any],
    *,
    run_ids: Sequence[UUID],
    **more: Sequence[Any],
) -> dict[UUID, list[DictRow]]:
    """Execute the statement and return its rows by run; a few connections divide the runs.

    more: other columns of the statement's `unnest`, with one value per run
    """

    def rows_of(part: slice) -> dict[UUID, list[DictRow]]:
        ids = run_ids[part]
        columns = {name: list(column[part]) for name, column in more.items()}
        found: dict[UUID, list[DictRow]] = {run_id: [] for run_id in ids}
        with database.readonly() as connection:
            for row in connection.execute(statement, {**values, **columns, "run_ids": list(ids)}):
                found[ids[row["position"] - 1]].append(row)
        return found

    return side_by_side(len(run_ids), rows_of)


def _curve(run_id: UUID, metric: str, number: int, rows: Sequence[DictRow]) -> ReducedCurve:
    return ReducedCurve(
        run_id=run_id,
        metric=metric,
        x=[row["x"] for row in rows],
        min=[row[f"min_{number}"] for row in rows],
        mean=[_mean(row, number) for row in rows],
        max=[row[f"max_{number}"] for row in rows],
        count=[row[f"count_{number}"] for row in rows],
    )


def _mean(row: DictRow, number: int) -> float | None:
    """A bucket's mean, clipped to min and max: with rounding, the mean of equal values may differ from them."""
    if not row[f"count_{number}"]:
        return None
    low, high = row[f"min_{number}"], row[f"max_{number}"]
    return float(min(high, max(low, row[f"sum_{number}"] / row[f"count_{number}"])))
