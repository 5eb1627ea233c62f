"""Continuing a sweep that is on record: what is unfinished, or what failed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rlsweep.analysis.wording import plural
from rlsweep.api.opening import database_of
from rlsweep.places.observer import SweepObserver
from rlsweep.places.options import DrivingOptions
from rlsweep.places.outcome import Ending, SweepOutcome, conclude
from rlsweep.race_records import Race
from rlsweep.runs import RunStatus, TrainingRun
from rlsweep.settings import Settings
from rlsweep.storage import check_usable
from rlsweep.sweep_records import Sweep, SweepStatus

if TYPE_CHECKING:
    from rlsweep.driver.selection import RunSelection
    from rlsweep.scheduler_records import Scheduler


def resume(reference: str, *, settings: Settings, observer: SweepObserver, options: DrivingOptions) -> SweepOutcome:
    """Continue the pending, stopped and crashed trials of a sweep, each from its last checkpoint; paused ones stay so.

    reference: name, id or start of the id of a sweep; `latest` is the newest
    Raises NotFoundError, DriverBusyError where somebody drives it, and otherwise what `submit` raises.
    """
    from rlsweep.driver.selection import UNFINISHED

    return _continue(reference, UNFINISHED, settings, observer, options)


def retry(
    reference: str,
    *,
    from_start: bool = False,
    settings: Settings,
    observer: SweepObserver,
    options: DrivingOptions,
) -> SweepOutcome:
    """Run the failed trials of a sweep again; a race decides again with their scores. All others stay as they are.

    from_start: begin them anew instead of at their last checkpoints
    Raises as `resume` does.
    """
    from rlsweep.driver.selection import FAILED, FAILED_FROM_START

    return _continue(reference, FAILED_FROM_START if from_start else FAILED, settings, observer, options)


def _continue(
    reference: str, selection: "RunSelection", settings: Settings, observer: SweepObserver, options: DrivingOptions
) -> SweepOutcome:
    from rlsweep.api.waiting import wait_until_undriven
    from rlsweep.store import sweeps

    database = database_of(settings)
    sweep = sweeps.get(database, reference)
    wait_until_undriven(database, sweep, observer)
    return drive(sweep, selection, settings=settings, observer=observer, options=options)


def drive(
    sweep: Sweep, selection: "RunSelection", *, settings: Settings, observer: SweepObserver, options: DrivingOptions
) -> SweepOutcome:
    """Drive the selection of a sweep without a driver; a race or a scheduler also decides on with what is trained.

    Whether there is anything to do is known before Ray is started.
    """
    from rlsweep.attempts.provenance import collect_provenance
    from rlsweep.places.find import find_place
    from rlsweep.places.place import Task
    from rlsweep.store import races, schedulers, sweeps, training_runs

    database = database_of(settings)
    runs = training_runs.of_sweep(database, sweep.id)
    wanted = [run for run in runs if run.status in selection.statuses]
    race = races.find(database, sweep.id)
    decider = race or schedulers.find(database, sweep.id)
    is_undecided = decider is not None and decider.stop is None
    if not wanted and not is_undecided:
        sweep = sweeps.settle(database, sweep.id)
        observer.message(_nothing_to_run(sweep, runs, race))
        outcome = conclude(database, sweep, Ending.NOTHING_TO_RUN)
        observer.ended(outcome)
        return outcome
    check_usable(settings.storage)
    observer.message(_to_run(sweep, runs, len(wanted), decider))
    provenance = collect_provenance(runs[0].config_folder)
    place = find_place(options, settings, sweep)
    resources = options.resources(sweep)
    with place.open(resources, len(wanted) if decider is None else len(runs)) as opened:
        runner = opened.ready(database, observer)
        return runner.run(Task(sweep=sweep, selection=selection, resources=resources, provenance=provenance))


def _to_run(sweep: Sweep, runs: Sequence[TrainingRun], wanted: int, decider: "Race | Scheduler | None") -> str:
    """What is to be driven."""
    what = "Race" if isinstance(decider, Race) else "Sweep"
    if decider is None:
        return f"Sweep {sweep.name}: {wanted} of {plural(len(runs), 'trial')} to run"
    if decider.stop is not None:
        again = f"{wanted} of {plural(len(runs), 'run')} to train again"
        return f"{what} {sweep.name}: {again}, then another decision with their scores"
    if isinstance(decider, Race):
        return f"Race {sweep.name}: {plural(len(runs), 'run')} so far, undecided"
    begun = sum(run.attempt > 0 for run in runs)
    return f"Sweep {sweep.name}: {begun} of {plural(len(runs), 'trial')} begun, and {decider.kind} goes on"


def _nothing_to_run(sweep: Sweep, runs: Sequence[TrainingRun], race: Race | None) -> str:
    """Why no trial is run, and which command would run those that did not complete."""
    failed = sum(run.status is RunStatus.FAILED for run in runs)
    if race is not None and failed:
        counted = f"{plural(failed, 'failed run')} counted as the starting level"
        return f"Race {sweep.name} is decided, with {counted}. To train them again: rlsweep retry {sweep.name}"
    if race is not None:
        return (
            f"Race {sweep.name} is decided. "
            f"To go on with a larger cap: rlsweep race {sweep.name} --cap {race.larger_cap:g}"
        )
    paused = sum(run.status is RunStatus.PAUSED for run in runs)
    if paused and sweep.status is SweepStatus.COMPLETED:
        return (
            f"Sweep {sweep.name} is completed, and {plural(paused, 'trial')} stayed paused. Train one to its end with "
            f"rlsweep train --resume RUN; rlsweep runs --sweep {sweep.name} --status paused lists them."
        )
    if sweep.status is SweepStatus.COMPLETED:
        return f"Sweep {sweep.name} is completed: there is nothing left to run."
    if failed:
        return (
            f"Sweep {sweep.name}: nothing is unfinished. {plural(failed, 'trial')} failed: rlsweep retry {sweep.name}"
        )
    return f"Sweep {sweep.name}: no trial failed. Some are unfinished: rlsweep resume {sweep.name}"
