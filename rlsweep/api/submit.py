"""Submitting a sweep: on record first, then driven to its end or handed over."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rlsweep.paths import Paths
from rlsweep.places.observer import SweepObserver
from rlsweep.places.options import DrivingOptions
from rlsweep.places.outcome import SweepOutcome
from rlsweep.planning.forecast import Forecast, forecasting
from rlsweep.planning.plan import Plan, check_all_drawn, check_trials
from rlsweep.planning.race import RacePlan, check_objective, race_terms
from rlsweep.planning.scheduler import SchedulerPlan
from rlsweep.settings import Settings
from rlsweep.stages import stage
from rlsweep.storage import check_usable
from rlsweep.sweep_records import Sweep

if TYPE_CHECKING:
    from rlsweep.places.place import Place
    from rlsweep.store.database import Database


def submit(
    plan: Plan,
    *,
    patterns: Sequence[str],
    settings: Settings,
    observer: SweepObserver,
    options: DrivingOptions,
    name: str | None = None,
    race: RacePlan | None = None,
    scheduler: SchedulerPlan | None = None,
    on_forecast: Callable[[Forecast], None],
    resume_instead: Callable[[Sweep], bool],
) -> SweepOutcome:
    """Train all configs of a plan, and follow the sweep to its end unless `options.detach` is set.

    race, scheduler: what decides which of them are trained, and how far; `plan` is its plan
    patterns: what the user gave as agent configs, for the record
    name: of the sweep; None makes one of agent, date and time
    on_forecast: called with what the sweep will take, before it is on record
    resume_instead: called with an unfinished sweep of the same plan, if there is one; True resumes that one instead

    Raises InputError, with nothing on record, for what cannot be used: a name, options that do not go together, an
    environment that cannot be made, a database, a storage or a cluster that is out of reach. Raises RlsweepError where
    the sweep could not be driven to its end; it is on record then, and `resume` continues it.
    """
    resources = options.resources()
    check_trials(plan.base_training, gpus_per_trial=resources.gpus_per_trial)
    if race is None:
        check_all_drawn(plan)
    place = _place_of(options, settings, name)
    with place.open(resources, len(plan.trials) + plan.to_draw) as opened:
        cache = Paths(settings).measurements
        with forecasting(plan, cache, gpus_per_trial=resources.gpus_per_trial) as wait_for_forecast:
            with stage("Loading libraries"):  # those of the database, while Ray's workers begin to import theirs
                from rlsweep.api.opening import database_of
                from rlsweep.attempts.provenance import collect_provenance
                from rlsweep.driver.selection import PLANNED, UNFINISHED
                from rlsweep.places.place import Task
                from rlsweep.planning.submission import create_sweep

            database = database_of(settings)
            sweep, selection = _find_unfinished(database, plan, name, scheduler), UNFINISHED
            provenance = collect_provenance(plan.trials[0].config_folder)
            forecast = wait_for_forecast()
        terms = None if race is None else race_terms(race, forecast)
        if scheduler is not None:
            check_objective(scheduler.objective, forecast)
        on_forecast(forecast)
        runner = opened.ready(database, observer)
        if sweep is None or not resume_instead(sweep):
            sweep = create_sweep(
                database, plan, name=name, patterns=patterns, provenance=provenance, race=terms, scheduler=scheduler
            )
            selection = PLANNED
        return runner.run(Task(sweep=sweep, selection=selection, resources=resources, provenance=provenance))


def _find_unfinished(
    database: "Database", plan: Plan, name: str | None, scheduler: SchedulerPlan | None
) -> Sweep | None:
    """The unfinished sweep of the same plan. Raises InputError if there is none and another sweep has the name."""
    from rlsweep.planning.submission import runs_of_plan
    from rlsweep.store import sweeps

    asked = None if scheduler is None else scheduler.terms
    found = sweeps.find_unfinished(database, runs_of_plan(plan), scheduler=asked)
    if found is None and name is not None:
        sweeps.check_free(database, name)
    return found


def _place_of(options: DrivingOptions, settings: Settings, name: str | None) -> "Place":
    """Where the sweep is driven, once its name, the database and the storage are found usable.

    Each check imports what it needs, which is slow, only where there is something to check.
    """
    with stage("Loading libraries"):
        from rlsweep.places.find import find_place

        if name is not None:
            from rlsweep.planning.submission import check_name

            check_name(name)
        if settings.database_url:
            from rlsweep.store.opening import check_reachable

            check_reachable(settings)
    check_usable(settings.storage)
    return find_place(options, settings)
