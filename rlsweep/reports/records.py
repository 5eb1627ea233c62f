"""From the store's columns to the records that the analysis judges."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np

from rlsweep.analysis.seed_record import SeedRecord
from rlsweep.analysis.sweeps import ConfigRecord
from rlsweep.config.differences import differing_keys, flat_record, labels
from rlsweep.runs import EndReason, Evaluation, EvaluationKind, RunSummary, TrainingRun
from rlsweep.store.curves import Recorded, recorded_of
from rlsweep.store.database import Database
from rlsweep.store.side_by_side import side_by_side

EPISODES_AT_ONCE = 100_000
"""That are read at once, at 32 bytes each: a connection for each config would take longer than its rows."""

EPISODES_A_CONNECTION = 50_000
"""Episodes that take longer to read than a connection takes to be made."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigRuns:
    """One agent config and its runs, in the order of the plan.

    name: its short name, with what tells it apart where configs share one; no two have the same
    differences: the hyperparameters in which the configs differ, by dotted key
    is_base: it is the one base config among them, which variants are judged against
    """

    name: str
    differences: dict[str, Any]
    is_base: bool
    runs: tuple[TrainingRun, ...]


def by_config(runs: Sequence[TrainingRun]) -> list[ConfigRuns]:
    """Put the seeds of one config together.

    One config is one file with one set of hyperparameters: the same file under other `--set` values is another. One
    that was given as a dict goes by its short name in place of the file.
    """
    grouped: dict[tuple[str, str], list[TrainingRun]] = {}
    for run in runs:
        grouped.setdefault((run.config_path or run.config_short_name, run.config_hash), []).append(run)
    firsts = [group[0] for group in grouped.values()]
    names = labels(
        [run.config_short_name for run in firsts],
        [run.config_path for run in firsts],
        [run.config_hash for run in firsts],
    )
    differences = differing_keys({place: flat_record(run.config["agent"]) for place, run in enumerate(firsts)})
    has_one_base = [run.sweep_variant for run in firsts].count(None) == 1
    return [
        ConfigRuns(
            name=name,
            differences={key: values[place] for key, values in differences.items()},
            is_base=has_one_base and group[0].sweep_variant is None,
            runs=tuple(group),
        )
        for place, (name, group) in enumerate(zip(names, grouped.values(), strict=True))
    ]


def values_by_key(configs: Sequence[ConfigRuns]) -> dict[str, list[Any]]:
    """Of each hyperparameter in which the configs differ, by dotted key, one value a config."""
    keys = configs[0].differences if configs else ()
    return {key: [config.differences[key] for config in configs] for key in keys}


def config_records(database: Database, configs: Sequence[ConfigRuns]) -> Iterator[ConfigRecord]:
    """Read what the runs of each config recorded, a few configs at a time: all episodes of a sweep may not fit.

    The next ones are read while these are judged.
    """

    def read(together: Sequence[ConfigRuns]) -> dict[UUID, SeedRecord]:
        return _seed_records(database, [run for config in together for run in config.runs])

    batches = list(_batches(configs))
    with ThreadPoolExecutor(1) as reader:
        coming = [reader.submit(read, together) for together in batches[:1]]
        for place, together in enumerate(batches, start=1):
            records = coming.pop().result()
            coming += [reader.submit(read, following) for following in batches[place : place + 1]]
            for config in together:
                seeds = tuple(records.pop(run.id) for run in config.runs)
                yield ConfigRecord(name=config.name, is_base=config.is_base, seeds=seeds)


def _batches(configs: Sequence[ConfigRuns]) -> Iterator[list[ConfigRuns]]:
    """Configs that are read together: as many as have EPISODES_AT_ONCE episodes, and one at least."""
    batch: list[ConfigRuns] = []
    episodes = 0
    for config in configs:
        more = sum(run.episodes for run in config.runs)
        if batch and episodes + more > EPISODES_AT_ONCE:
            yield batch
            batch, episodes = [], 0
        batch.append(config)
        episodes += more
    if batch:
        yield batch


def seed_records(database: Database, runs: Sequence[TrainingRun]) -> dict[UUID, SeedRecord]:
    """What each of the runs recorded, all at once; of many episodes a few connections read a part each."""
    most = 1 + sum(run.episodes for run in runs) // EPISODES_A_CONNECTION
    return side_by_side(len(runs), lambda part: _seed_records(database, runs[part]), most)


def _seed_records(database: Database, runs: Sequence[TrainingRun]) -> dict[UUID, SeedRecord]:
    recorded = recorded_of(database, [run.id for run in runs])
    return {run.id: seed_record(run, recorded[run.id]) for run in runs}


def seed_record(run: RunSummary, recorded: Recorded) -> SeedRecord:
    """One run as the analysis takes it."""
    results, updates = recorded.results, recorded.updates
    return SeedRecord(
        seed=run.seed,
        status=run.status,
        has_begun=run.attempt > 0,
        diverged=run.end_reason is EndReason.DIVERGED,
        budget=run.budget,
        trained_steps=run.env_steps,
        env_steps=results.env_steps,
        reward=results.reward,
        length=results.length,
        won=results.won,
        update_steps=updates.env_steps,
        approx_kl=updates.approx_kl,
        clip_fraction=updates.clip_fraction,
        entropy=updates.entropy,
        explained_variance=updates.explained_variance,
        gradient_steps=updates.gradient_steps,
        losses=np.column_stack((updates.policy_loss, updates.value_loss)),
        **_evaluated(recorded.evaluations),
        rung=run.rung,
    )


def _evaluated(evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    rates = [np.nan if each.win_rate is None else each.win_rate for each in evaluations]
    return {
        "evaluation_steps": np.array([each.env_steps for each in evaluations], dtype=np.int64),
        "evaluation_reward": np.array([each.mean_reward for each in evaluations], dtype=np.float64),
        "evaluation_length": np.array([each.mean_length for each in evaluations], dtype=np.float64),
        "evaluation_win_rate": np.array(rates, dtype=np.float64),
        "evaluation_is_score": np.array([each.kind is EvaluationKind.SCORE for each in evaluations], dtype=np.bool_),
    }
