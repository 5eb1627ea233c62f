"""Stopping and deleting what is on record."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlsweep.api.opening import database_of
from rlsweep.runs import RunStatus, TrainingRun
from rlsweep.settings import Settings
from rlsweep.sweep_records import Sweep

if TYPE_CHECKING:
    from rlsweep.attempts.deletion import DeletionPlan
    from rlsweep.store.database import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class Stopped:
    """What a stop touched.

    target: the sweep or run as it stood when it was asked to stop, a run with the status that it has since
    stopping: running trials that will end by themselves
    stopped: pending trials that will not begin, and paused ones that will not continue
    abandoned: trials that were on record as running and had lost their process
    """

    target: Sweep | TrainingRun
    stopping: int
    stopped: int
    abandoned: int


def stop(reference: str, *, settings: Settings) -> Stopped:
    """Ask a sweep, by name or id, or a run, by id, to stop; it keeps what it recorded. Raises NotFoundError."""
    from rlsweep.api.references import find_sweep_or_run

    database = database_of(settings)
    found = find_sweep_or_run(database, reference)
    return _stop_sweep(database, found) if isinstance(found, Sweep) else _stop_run(database, found)


def _stop_sweep(database: "Database", sweep: Sweep) -> Stopped:
    from rlsweep.store import sweeps, transitions
    from rlsweep.store.liveness import LEASE_PATIENCE_SECONDS

    touched = sweeps.request_stop(database, sweep.id)
    # Whoever asks to stop need not wait the minute that a silent process is given otherwise.
    abandoned = transitions.end_abandoned(database, sweep_id=sweep.id, patience_seconds=LEASE_PATIENCE_SECONDS)
    sweeps.settle(database, sweep.id)
    return Stopped(
        target=sweep,
        stopping=touched[RunStatus.RUNNING] - len(abandoned),
        stopped=touched[RunStatus.STOPPED],
        abandoned=len(abandoned),
    )


def _stop_run(database: "Database", run: TrainingRun) -> Stopped:
    from rlsweep.store import sweeps, transitions
    from rlsweep.store.liveness import LEASE_PATIENCE_SECONDS

    asked = transitions.request_stop(database, run.id)
    abandoned = transitions.end_abandoned(database, run_id=run.id, patience_seconds=LEASE_PATIENCE_SECONDS)
    # a live driver does it, once it has begun all runs that it will: it may yet continue paused ones
    if asked.sweep_id is not None and sweeps.live_driver(database, asked.sweep_id) is None:
        sweeps.settle(database, asked.sweep_id)
    now = abandoned[0] if abandoned else asked
    return Stopped(
        target=now,
        stopping=int(now.status is RunStatus.RUNNING),
        stopped=int(run.status in (RunStatus.PENDING, RunStatus.PAUSED)),
        abandoned=len(abandoned),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Deletion:
    """What a deletion takes away; target: the sweep or the run, in words."""

    target: str
    plan: "DeletionPlan"


def delete(reference: str, *, settings: Settings, confirm: Callable[[Deletion], bool]) -> Deletion | None:
    """Delete a sweep or a run: its records, TensorBoard logs and checkpoints; what was deleted.

    confirm: called with what would go; where it is not True nothing is deleted, and None is returned
    Raises NotFoundError, DriverBusyError where a live driver or worker has any of it, StorageError.
    """
    from rlsweep.api.references import find_sweep_or_run
    from rlsweep.attempts import deletion
    from rlsweep.store import training_runs

    database = database_of(settings)
    found = find_sweep_or_run(database, reference)
    if isinstance(found, Sweep):
        target, sweep_id = f"sweep {found.name}", found.id
        runs = training_runs.of_sweep(database, found.id)
    else:
        target, sweep_id = f"training run {str(found.id)[:8]}, {found.label}", None
        runs = [found]
    planned = Deletion(target=target, plan=deletion.plan_deletion(database, settings, runs, sweep_id=sweep_id))
    if not confirm(planned):
        return None
    deletion.delete(database, planned.plan)
    return planned
