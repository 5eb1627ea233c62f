"""Write the records of a running trial, one batch about every second."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from rlsweep.runs import Checkpoint, Episode, Evaluation, Update
from rlsweep.store import transitions
from rlsweep.store.database import Connection, Database
from rlsweep.store.queries import load
from rlsweep.store.records import storable

_SQL = load("recording")


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """The run's progress after a batch: the summary columns of its row.

    episodes, updates, env_steps: of the whole run, including earlier attempts
    mean_reward, win_rate, mean_length: over the last 100 episodes; None before the first episode
    """

    episodes: int
    updates: int
    env_steps: int
    mean_reward: float | None = None
    win_rate: float | None = None
    mean_length: float | None = None
    steps_per_second: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """The records since the last flush, in order; an empty batch is only a heartbeat.

    dropped_uris: checkpoints whose files were deleted
    began_at_env_steps: env steps of the checkpoint at which the attempt began, or 0
    facts: facts about the execution, added to the run's metadata
    """

    progress: Progress
    episodes: Sequence[Episode] = ()
    updates: Sequence[Update] = ()
    evaluations: Sequence[Evaluation] = ()
    checkpoints: Sequence[Checkpoint] = ()
    dropped_uris: Sequence[str] = ()
    began_at_env_steps: int = 0
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_records(self) -> bool:
        """Whether the batch is more than a heartbeat."""
        return any((self.episodes, self.updates, self.evaluations, self.checkpoints, self.dropped_uris, self.facts))


def flush(database: Database, run_id: UUID, attempt: int, batch: Batch) -> bool:
    """Write the batch and a heartbeat in one transaction; return whether a stop of the run is requested.

    A repeated call changes nothing: existing rows of the attempt stay. Rows that earlier attempts recorded after this
    attempt's checkpoint stay until this attempt records the same rows; the rest is deleted when the run is completed.
    Raises StaleAttemptError, and writes nothing, if a newer attempt exists or the run has ended.
    """
    with database.connect() as connection:
        run = transitions.lock(connection, run_id)
        run = transitions.check_attempt(connection, run, attempt)
        _write(connection, run_id, attempt, batch)
    return run.stop_requested


def flush_left(database: Database, run_id: UUID, attempt: int, batch: Batch) -> None:
    """Like `flush`, for a batch that a dead process of the attempt left in its spool; the run may have ended.

    Raises StaleAttemptError if the batch is obsolete: a newer attempt has begun or will start from the beginning, or
    the run is completed.
    """
    with database.connect() as connection:
        transitions.check_left(transitions.lock(connection, run_id), attempt)
        _write(connection, run_id, attempt, batch)


def _write(connection: Connection, run_id: UUID, attempt: int, batch: Batch) -> None:
    if attempt > 1 and batch.evaluations:
        _drop_overtaken(connection, run_id, attempt, batch)
    for statement, rows in (
        ("insert_episodes", batch.episodes),
        ("insert_updates", batch.updates),
        ("insert_evaluations", batch.evaluations),
        ("insert_checkpoints", batch.checkpoints),
    ):
        if rows:
            connection.execute(_SQL[statement], {"run_id": run_id, "attempt": attempt, **_columns(rows)})
    if batch.dropped_uris:
        connection.execute(_SQL["drop_checkpoints"], {"run_id": run_id, "uris": list(batch.dropped_uris)})
    progress = batch.progress
    connection.execute(
        _SQL["update_progress"],
        {
            "run_id": run_id,
            "episodes": progress.episodes,
            "updates": progress.updates,
            "env_steps": progress.env_steps,
            "mean_reward": _finite(progress.mean_reward),
            "win_rate": _finite(progress.win_rate),
            "mean_length": _finite(progress.mean_length),
            "steps_per_second": _finite(progress.steps_per_second),
            "facts": Jsonb({name: storable(fact) for name, fact in batch.facts.items()}),
        },
    )


def _drop_overtaken(connection: Connection, run_id: UUID, attempt: int, batch: Batch) -> None:
    connection.execute(
        _SQL["drop_overtaken_evaluations"],
        {
            "run_id": run_id,
            "attempt": attempt,
            "began_at_env_steps": batch.began_at_env_steps,
            "env_steps": batch.evaluations[-1].env_steps,
        },
    )


def _columns(rows: Sequence[Any]) -> dict[str, list[Any]]:
    """One array per field, for `unnest`; NaN and infinity become null."""
    return {name: [_storable(getattr(row, name)) for row in rows] for name in (field.name for field in fields(rows[0]))}


def _storable(value: Any) -> Any:
    return _finite(value) if isinstance(value, float) else value


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
