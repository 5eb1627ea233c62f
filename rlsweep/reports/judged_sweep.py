"""A sweep that has ended, as a race would judge it, read without the rest of its report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.seed_record import SeedRecord
from rlsweep.analysis.update_counts import TOO_FEW_UPDATES
from rlsweep.deciding.records import RaceRecord, RaceSettings
from rlsweep.race_records import Race
from rlsweep.reports.pace import Pace, pace_of
from rlsweep.reports.race_record import RaceReader, inputs_of, settings_of
from rlsweep.reports.records import ConfigRuns, by_config, seed_records
from rlsweep.reports.sweep_record import race_of_scores
from rlsweep.runs import RunStatus, TrainingRun
from rlsweep.store import races, schedulers, training_runs
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedSweep:
    """A sweep as a race would judge it.

    race: its terms; None for a sweep that is no race
    objective: what its scores are
    pace: None before a run is complete
    has_few_updates: no config of a sweep that is no race has policy updates enough for its score to say anything
    """

    race: Race | None
    objective: Objective
    settings: RaceSettings
    record: RaceRecord
    configs: tuple[ConfigRuns, ...]
    pace: Pace | None
    has_few_updates: bool


def judged_sweep(database: Database, sweep: Sweep) -> JudgedSweep:
    """Read the runs of a sweep; of one that still trains, what they have recorded so far."""
    runs = training_runs.of_sweep(database, sweep.id)
    race = races.find(database, sweep.id)
    if race is not None:
        return _judged_race(database, race, runs)
    recorded = by_config(runs)
    records = seed_records(database, runs)
    scheduler = schedulers.find(database, sweep.id)
    objective = Objective.EVALUATION_REWARD if scheduler is None else Objective(scheduler.objective)
    settings, record = race_of_scores(recorded, records, objective)
    is_evaluated = all(records[run.id].evaluation_steps.size for run in runs if run.status is RunStatus.COMPLETED)
    if objective is Objective.EVALUATION_REWARD and not is_evaluated:
        objective = Objective.TRAINING_REWARD
    return JudgedSweep(
        race=None,
        objective=objective,
        settings=settings,
        record=record,
        configs=tuple(recorded),
        pace=pace_of(database, runs),
        has_few_updates=all(_updates(config, records) < TOO_FEW_UPDATES for config in recorded),
    )


def _judged_race(database: Database, race: Race, runs: Sequence[TrainingRun]) -> JudgedSweep:
    state = RaceReader(database, race).read()
    latest = races.latest_decision(database, race.sweep_id)
    slots = None
    if latest is not None:
        _, record, free = inputs_of(latest)
        slots = free + len(record.in_flight)
    return JudgedSweep(
        race=race,
        objective=Objective(race.objective),
        settings=settings_of(race, state, is_out_of_time=False),
        record=state.record,
        configs=state.configs,
        pace=pace_of(database, runs, slots=slots),
        has_few_updates=False,
    )


def _updates(config: ConfigRuns, records: Mapping[UUID, SeedRecord]) -> int:
    """The fewest policy updates of a run that has not failed; 0 without one."""
    counts = [len(records[run.id].losses) for run in config.runs if run.status is not RunStatus.FAILED]
    return min(counts, default=0)
