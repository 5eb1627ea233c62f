"""From the store's columns to the records that the analysis judges."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlsweep.analysis.figures import SeedRecord
from rlsweep.config.differences import differing_keys, labels
from rlsweep.config.run import RunConfig
from rlsweep.errors import DivergedError
from rlsweep.runs import Evaluation, TrainingRun
from rlsweep.store.curves import (
    NO_OUTCOME,
    WIN,
    EpisodeColumns,
    UpdateColumns,
    episodes_of,
    evaluations_of,
    updates_of,
)
from rlsweep.store.database import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedConfig:
    """One agent config of a sweep and its runs, in the order of the plan.

    name: its short name, with its file where two configs of the sweep share one
    differences: the hyperparameters in which the sweep's configs differ, by dotted key
    """

    name: str
    differences: dict[str, Any]
    runs: tuple[TrainingRun, ...]
    records: tuple[SeedRecord, ...]


def recorded_configs(database: Database, runs: Sequence[TrainingRun]) -> list[RecordedConfig]:
    """Read what the runs recorded and put the seeds of one config together.

    One config is one file with one set of hyperparameters: the same file under other `--set` values is another.
    """
    ids = [run.id for run in runs]
    episodes, updates = episodes_of(database, ids), updates_of(database, ids)
    evaluations = evaluations_of(database, ids)
    grouped: dict[tuple[str, str], list[TrainingRun]] = {}
    for run in runs:
        grouped.setdefault((run.config_path, run.config_hash), []).append(run)
    firsts = [group[0] for group in grouped.values()]
    agents = [RunConfig.from_record(run.config).agent for run in firsts]
    names = labels(agents, [run.config_path for run in firsts])
    differing = differing_keys({str(place): agent for place, agent in enumerate(agents)})
    return [
        RecordedConfig(
            name=name,
            differences={key: values[str(place)] for key, values in differing.items()},
            runs=tuple(group),
            records=tuple(seed_record(run, episodes[run.id], updates[run.id], evaluations[run.id]) for run in group),
        )
        for place, (name, group) in enumerate(zip(names, grouped.values(), strict=True))
    ]


def seed_record(
    run: TrainingRun, episodes: EpisodeColumns, updates: UpdateColumns, evaluations: Sequence[Evaluation]
) -> SeedRecord:
    """One run as the analysis takes it."""
    won = np.where(episodes.outcome == NO_OUTCOME, np.nan, episodes.outcome == WIN)
    return SeedRecord(
        seed=run.seed,
        status=run.status,
        diverged=run.error is not None and DivergedError.__name__ in run.error,
        env_steps=episodes.env_steps,
        reward=episodes.reward,
        won=won.astype(np.float64),
        approx_kl=updates.approx_kl,
        explained_variance=updates.explained_variance,
        losses=np.column_stack((updates.policy_loss, updates.value_loss)),
        evaluation_steps=np.array([each.env_steps for each in evaluations], dtype=np.int64),
        evaluation_reward=np.array([each.mean_reward for each in evaluations], dtype=np.float64),
    )
