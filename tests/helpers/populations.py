"""A population on a real database whose trainer replays curves; everything else is what a driver and trials do."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from typing import Any
from unittest.mock import patch
from uuid import UUID

from planned_space import BASE

from rlsweep.attempts.execution import WorkerContext, execute_run
from rlsweep.attempts.provenance import Provenance
from rlsweep.config.run import Mode
from rlsweep.driver.decided_runs import DecidedRuns
from rlsweep.driver.pbt import PbtRule
from rlsweep.driver.selection import UNFINISHED
from rlsweep.planning.plan import make_plan
from rlsweep.planning.scheduler import SchedulerPlan, scheduler_plan
from rlsweep.planning.scheduler_options import SchedulerOptions
from rlsweep.planning.submission import create_sweep
from rlsweep.scheduler_records import Scheduler
from rlsweep.settings import Settings
from rlsweep.store import decisions, schedulers, sweeps, transitions
from rlsweep.store.database import Database
from rlsweep.training import checkpoint_copy
from tests.helpers.replayed_training import ReplayedTraining

ROLLOUT, ROLLOUTS_OF_INTERVAL = 16, 2
DRIVER = "host:1.00"

SPACE: dict[str, Any] = {
    "base": {**BASE, "n_steps": ROLLOUT, "n_epochs": 2},
    "space": {
        "learning_rate": {"log": [1e-5, 1e-2]},
        "ppo.ent_coef": {"log": [1e-4, 1e-1], "or": 0.0},
        "batch_size": {"choice": [4, 8, 16]},
        "ppo.target_kl": {"choice": [0.01, 0.03], "when": "batch_size > 4"},
    },
    "constraints": ["batch_size <= n_steps"],
}


def planned_population(*, members: int = 4, intervals: int = 3, interval: int = 2 * ROLLOUT) -> SchedulerPlan:
    """A population whose budget ends an interval after the last one."""
    plan = make_plan(
        [{**SPACE, "configs": members}],
        base_config={"environment": {"id": "CartPole-v1"}, "keep_last_n_checkpoints": 1},
        mode=Mode.SMOKE,
        episodes=None,
        total_timesteps=(intervals + 1) * interval,
        seeds=1,
        with_base=False,
    )
    planned = scheduler_plan(plan, SchedulerOptions(scheduler="pbt", population=members, interval=interval))
    assert planned is not None
    return planned


def create_population(database: Database, name: str, **given: int) -> Scheduler:
    """Put a population on record, and give this process its lease."""
    planned = planned_population(**given)
    provenance = Provenance(git_commit=None, git_dirty=None, versions={}, host="here", command="")
    created = create_sweep(database, planned.plan, name=name, patterns=[], provenance=provenance, scheduler=planned)
    sweeps.take_lease(database, created.id, DRIVER)
    return scheduler_of(database, created.id)


def scheduler_of(database: Database, sweep_id: UUID) -> Scheduler:
    found = schedulers.find(database, sweep_id)
    assert found is not None
    return found


@contextmanager
def replaying(trainer: ReplayedTraining) -> Iterator[None]:
    """Runs are trained by it; the process may also die right before and after a checkpoint is copied."""

    def copy(*given: Any, **named: Any) -> Any:
        trainer.happens()
        made = real(*given, **named)
        trainer.happens()
        return made

    real = checkpoint_copy.copy_checkpoint
    with patch("rlsweep.training.train.train", trainer.train), patch.object(checkpoint_copy, "copy_checkpoint", copy):
        yield


def drive(
    database: Database, settings: Settings, scheduler: Scheduler, trainer: ReplayedTraining, *, slots: int = 1,
    order: Callable[[list[UUID]], UUID] = itemgetter(0),
) -> None:  # fmt: skip
    """Drive the population to its end. A KeyboardInterrupt of the trainer is the death of trial and driver.

    order: gives which of the runs in flight ends next; by default the one that began first
    """
    context = WorkerContext(database_url=database.url, settings=settings, threads=1)
    with replaying(trainer):
        for _ in range(200):
            source = DecidedRuns(
                database, PbtRule(database, scheduler), driver=DRIVER, slots=slots, on_scheduled=lambda _: None
            )
            try:
                _drive(source, context, trainer, slots=slots, order=order)
            except KeyboardInterrupt:
                # what a driver does first
                decisions.pause_waiting(database, scheduler.sweep_id)
                transitions.take_up(database, scheduler.sweep_id, UNFINISHED.statuses)
                continue
            return
    raise AssertionError("it does not end")


def _drive(
    source: DecidedRuns,
    context: WorkerContext,
    trainer: ReplayedTraining,
    *,
    slots: int,
    order: Callable[[list[UUID]], UUID],
) -> None:
    flying: list[UUID] = []
    while not source.is_exhausted or flying:
        while len(flying) < slots and (run_id := source.take()) is not None:
            flying.append(run_id)
            trainer.happens()
        assert flying or source.is_exhausted, "nothing trains, and it is not over"
        if flying:
            flying.remove(ended := order(flying))
            execute_run(ended, context, stop=threading.Event())
            source.has_ended(ended)
