"""Read episodes, updates and evaluations of many runs at once, as NumPy arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from rlsweep.runs import Checkpoint, Evaluation, EvaluationKind
from rlsweep.store.database import Connection, Database
from rlsweep.store.queries import load

WIN = 1
DRAW = 0
LOSS = -1
NO_OUTCOME = -2
"""Codes in `EpisodeColumns.outcome`."""

_SQL = load("curves")


@dataclass(frozen=True, kw_only=True, slots=True)
class EpisodeColumns:
    """The episodes of one run, in order; arrays of one length.

    episode, env_steps, length: int64
    reward, seconds: float64
    outcome: int8, WIN, DRAW, LOSS, or NO_OUTCOME if the environment has none
    """

    episode: NDArray[np.int64]
    env_steps: NDArray[np.int64]
    reward: NDArray[np.float64]
    length: NDArray[np.int64]
    outcome: NDArray[np.int8]
    seconds: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """What scores are made of: of the episodes of one run, in order; arrays of one length.

    env_steps, length: int64
    reward: float64
    won: float64, 1 for a win, 0 for a draw or a loss, NaN if the environment has no outcomes
    """

    env_steps: NDArray[np.int64]
    reward: NDArray[np.float64]
    length: NDArray[np.int64]
    won: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class UpdateColumns:
    """The updates of one run, in order; arrays of one length.

    update, env_steps: int64
    all others: float64, NaN if the algorithm does not have the value, it was not finite, or it was not recorded
    """

    update: NDArray[np.int64]
    env_steps: NDArray[np.int64]
    policy_loss: NDArray[np.float64]
    value_loss: NDArray[np.float64]
    entropy: NDArray[np.float64]
    approx_kl: NDArray[np.float64]
    clip_fraction: NDArray[np.float64]
    explained_variance: NDArray[np.float64]
    gradient_steps: NDArray[np.float64]
    learning_rate: NDArray[np.float64]
    steps_per_second: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What one run has on record for its judgement: results of its episodes, updates, and evaluations of both kinds."""

    results: Results
    updates: UpdateColumns
    evaluations: list[Evaluation]


_EPISODE_COLUMNS = {
    "episode": ">i8",
    "env_steps": ">i8",
    "reward": ">f8",
    "length": ">i8",
    "outcome": ">i8",
    "seconds": ">f8",
}
_RESULT_COLUMNS = {"env_steps": ">i8", "reward": ">f8", "length": ">i4", "outcome": "u1"}
_WON = np.full(256, np.nan)
_WON[[ord("w"), ord("d"), ord("l")]] = 1.0, 0.0, 0.0
_UPDATE_COLUMNS = {
    "update": ">i8",
    "env_steps": ">i8",
    "policy_loss": ">f8",
    "value_loss": ">f8",
    "entropy": ">f8",
    "approx_kl": ">f8",
    "clip_fraction": ">f8",
    "explained_variance": ">f8",
    "gradient_steps": ">f8",
    "learning_rate": ">f8",
    "steps_per_second": ">f8",
}


def episodes_of(database: Database, run_ids: Sequence[UUID]) -> dict[UUID, EpisodeColumns]:
    """The episodes of each run; a run without episodes gets empty arrays."""
    with database.readonly() as connection:
        by_run = _columns_by_run(connection, "list_episodes", run_ids, _EPISODE_COLUMNS)
    return {
        run_id: EpisodeColumns(**{**columns, "outcome": columns["outcome"].astype(np.int8)})
        for run_id, columns in by_run.items()
    }


def recorded_of(database: Database, run_ids: Sequence[UUID]) -> dict[UUID, Recorded]:
    """All that the runs are judged by, in one transaction, and with half of the columns that `episodes_of` reads."""
    with database.readonly() as connection:
        results = _results(connection, run_ids, after=0.0)
        updates = _updates(connection, run_ids)
        evaluations = _evaluations(connection, run_ids)
    return {
        run_id: Recorded(results=results[run_id], updates=updates[run_id], evaluations=evaluations[run_id])
        for run_id in run_ids
    }


def results_of(database: Database, run_ids: Sequence[UUID], *, after: float) -> dict[UUID, Results]:
    """The results of each run's episodes without those that ended in this first share of the run's env steps."""
    with database.readonly() as connection:
        return _results(connection, run_ids, after=after)


def _results(connection: Connection, run_ids: Sequence[UUID], *, after: float) -> dict[UUID, Results]:
    by_run = _columns_by_run(connection, "list_results", run_ids, _RESULT_COLUMNS, after=after)
    return {
        run_id: Results(
            env_steps=columns["env_steps"],
            reward=columns["reward"],
            length=columns["length"].astype(np.int64),
            won=_WON[columns["outcome"]],
        )
        for run_id, columns in by_run.items()
    }


def updates_of(database: Database, run_ids: Sequence[UUID]) -> dict[UUID, UpdateColumns]:
    """The updates of each run; a run without updates gets empty arrays."""
    with database.readonly() as connection:
        return _updates(connection, run_ids)


def _updates(connection: Connection, run_ids: Sequence[UUID]) -> dict[UUID, UpdateColumns]:
    by_run = _columns_by_run(connection, "list_updates", run_ids, _UPDATE_COLUMNS)
    return {run_id: UpdateColumns(**columns) for run_id, columns in by_run.items()}


def no_updates() -> UpdateColumns:
    """What is read of a run that has none."""
    return UpdateColumns(**{name: np.zeros(0, dtype=kind.replace(">", "=")) for name, kind in _UPDATE_COLUMNS.items()})


def evaluations_of(database: Database, run_ids: Sequence[UUID]) -> dict[UUID, list[Evaluation]]:
    """The evaluations of each run, of both kinds, by env steps."""
    with database.readonly() as connection:
        return _evaluations(connection, run_ids)


def _evaluations(connection: Connection, run_ids: Sequence[UUID]) -> dict[UUID, list[Evaluation]]:
    found: dict[UUID, list[Evaluation]] = {run_id: [] for run_id in run_ids}
    for row in connection.execute(_SQL["list_evaluations"], {"run_ids": list(run_ids)}):
        found[row.pop("run_id")].append(Evaluation(**row | {"kind": EvaluationKind(row["kind"])}))
    return found


def checkpoints_of(database: Database, run_id: UUID) -> list[Checkpoint]:
    """The existing checkpoints of one run, oldest first."""
    with database.readonly() as connection:
        return [Checkpoint(**row) for row in connection.execute(_SQL["list_checkpoints"], {"run_id": run_id})]


def _columns_by_run(
    connection: Connection, statement: str, run_ids: Sequence[UUID], columns: dict[str, str], **values: float
) -> dict[UUID, dict[str, NDArray[Any]]]:
    """Read one row per run, whose columns are byte strings that NumPy reads as arrays.

    No Python object is made per episode: row by row, a million episodes take eight seconds.
    """
    rows = connection.cursor(binary=True).execute(_SQL[statement], {"run_ids": list(run_ids), **values})
    return {
        run_id: {
            name: np.frombuffer(row[name] or b"", dtype=kind).astype(kind.replace(">", "="))
            for name, kind in columns.items()
        }
        for run_id, row in zip(run_ids, rows, strict=True)
    }
