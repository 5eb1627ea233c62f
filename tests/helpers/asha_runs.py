"""A sweep with ASHA whose runs are not trained: scores are given, and all else is on record as trials write it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

from rlsweep.driver.asha import AshaRule
from rlsweep.driver.decided_runs import DecidedRuns
from rlsweep.runs import RunStatus
from rlsweep.scheduler_records import Scheduler, SchedulerKind, SchedulerTerms
from rlsweep.schedulers.asha import AshaSettings, shares
from rlsweep.store import schedulers, sweeps, training_runs
from rlsweep.store.database import Database
from tests.helpers.raced import DRIVER, ScoreAt, give_all, new_sweep, planned_run, train_to_pause

SETTINGS = AshaSettings(rungs=shares(3, 2), reduction=2)


def create_asha(
    database: Database, name: str, configs: int, *, seeds: int = 1, settings: AshaSettings = SETTINGS
) -> Scheduler:
    """Put a sweep with ASHA on record, and give this process its lease."""
    runs = [planned_run(config, seed) for seed in range(seeds) for config in range(configs)]
    terms = SchedulerTerms(kind=SchedulerKind.ASHA, objective="evaluation_reward", settings=settings.to_json())
    planned = [replace(run, pause_at=None) for run in runs]
    created = sweeps.create(database, new_sweep(name), planned, scheduler=terms)
    sweeps.take_lease(database, created.id, DRIVER)
    return scheduler_of(database, created.id)


def scheduler_of(database: Database, sweep_id: UUID) -> Scheduler:
    found = schedulers.find(database, sweep_id)
    assert found is not None
    return found


def run_asha(
    database: Database,
    scheduler: Scheduler,
    score: ScoreAt,
    *,
    slots: int = 2,
    most_runs: int | None = None,
    order: Sequence[int] = (),
) -> list[UUID]:
    """Drive the sweep with simulated trials, as `raced.run_race` does."""
    rule = AshaRule(database, scheduler)
    source = DecidedRuns(database, rule, driver=DRIVER, slots=slots, on_scheduled=lambda _: None)
    rungs = AshaSettings.from_json(scheduler.settings).rungs
    train = partial(train_to_pause, database, score=score, shares=rungs)
    return give_all(source, train, slots=slots, most_runs=most_runs, order=order)


def statuses(database: Database, scheduler: Scheduler) -> dict[RunStatus, int]:
    runs = training_runs.of_sweep(database, scheduler.sweep_id)
    return {status: sum(run.status is status for run in runs) for status in RunStatus}
