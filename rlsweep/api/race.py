"""Racing configs: a sweep that spends its budget where that helps the decision, from new configs or one on record."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rlsweep.analysis.objectives import Objective
from rlsweep.api.opening import database_of
from rlsweep.api.resume import drive
from rlsweep.deciding.records import DEFAULT_TOLERANCE
from rlsweep.errors import InputError
from rlsweep.places.observer import SweepObserver
from rlsweep.places.options import DrivingOptions
from rlsweep.places.outcome import SweepOutcome
from rlsweep.planning.forecast import Forecast
from rlsweep.planning.plan import Plan
from rlsweep.planning.race import RUNG, RacePlan, changed_terms, race_plan
from rlsweep.planning.race_options import (
    DEFAULT_CAP,
    DEFAULT_CONFIDENCE,
    DEFAULT_STATISTIC,
    RaceOptions,
    read_cap,
    read_objective,
)
from rlsweep.race_records import RaceTerms
from rlsweep.settings import Settings
from rlsweep.sweep_records import Sweep

if TYPE_CHECKING:
    from rlsweep.runs import TrainingRun
    from rlsweep.store.database import Database


def race(
    plan: Plan,
    asked: RaceOptions,
    *,
    patterns: Sequence[str],
    settings: Settings,
    observer: SweepObserver,
    options: DrivingOptions,
    name: str | None = None,
    on_forecast: Callable[[RacePlan, Forecast], None],
    resume_instead: Callable[[Sweep], bool],
) -> SweepOutcome:
    """Race the configs of a plan with one seed each; the race adds seeds where they help.

    on_forecast: called with the race and what its first runs will take, before it is on record. The rest is as
    `submit` has it. Raises InputError, with nothing on record, for a race that cannot be run.
    """
    from rlsweep.api.submit import submit

    planned = race_plan(plan, asked)
    return submit(
        planned.plan,
        patterns=patterns,
        settings=settings,
        observer=observer,
        options=options,
        name=name,
        race=planned,
        on_forecast=lambda forecast: on_forecast(planned, forecast),
        resume_instead=resume_instead,
    )


def continue_race(
    reference: str, asked: RaceOptions, *, settings: Settings, observer: SweepObserver, options: DrivingOptions
) -> SweepOutcome:
    """Go on with a race, with other terms where they are given, or make a race of a sweep: what it trained counts.

    Raises NotFoundError, DriverBusyError if somebody drives it, and InputError for a sweep that cannot be raced.
    """
    from rlsweep.api.waiting import wait_until_undriven
    from rlsweep.driver.selection import UNFINISHED
    from rlsweep.store import races, schedulers, sweeps, training_runs

    database = database_of(settings)
    sweep = sweeps.get(database, reference)
    wait_until_undriven(database, sweep, observer)
    scheduler = schedulers.find(database, sweep.id)
    if scheduler is not None:
        raise InputError(
            f"Sweep {sweep.name} was submitted with --scheduler {scheduler.kind}: its runs wait where a race has no "
            "rung. Race the configs anew: rlsweep race PATTERN"
        )
    found = races.find(database, sweep.id)
    if found is not None:
        terms = changed_terms(found, asked)
    else:
        terms = terms_of_sweep(database, sweep, training_runs.of_sweep(database, sweep.id), asked)
    races.set_terms(database, sweep.id, terms)
    return drive(sweep, UNFINISHED, settings=settings, observer=observer, options=options)


def terms_of_sweep(database: "Database", sweep: Sweep, runs: Sequence["TrainingRun"], asked: RaceOptions) -> RaceTerms:
    """The terms of a race made of a sweep, whose runs were not evaluated for a score; new seeds are not either.

    Raises InputError if its runs cannot be compared, or do not give the objective.
    """
    from rlsweep.reports.records import by_config
    from rlsweep.runs import RunStatus
    from rlsweep.store import races
    from rlsweep.store.curves import evaluations_of

    if len(by_config(runs)) < 2:
        raise InputError(f"Sweep {sweep.name} has one config; a race compares configs.")
    if len({(run.environment, run.budget) for run in runs}) > 1:
        raise InputError(
            f"The runs of sweep {sweep.name} have different environments or budgets, so that their scores cannot be "
            "compared. Race the configs anew: rlsweep race PATTERN"
        )
    ended = [run for run in runs if run.status is RunStatus.COMPLETED]
    evaluated = bool(ended) and all(evaluations_of(database, [run.id for run in ended]).values())
    default = Objective.EVALUATION_REWARD if evaluated else Objective.TRAINING_REWARD
    objective = default if asked.objective is None else read_objective(asked.objective)
    if objective is Objective.EVALUATION_REWARD and not evaluated:
        raise InputError(
            f"--objective {asked.objective}: the runs of sweep {sweep.name} were not evaluated. Leave the flag out to "
            "race by training reward."
        )
    if objective is Objective.WIN_RATE and all(run.win_rate is None for run in ended):
        raise InputError(f"--objective win_rate: episodes of {runs[0].environment} have no winner.")
    spent = races.costs(database, sweep.id)
    whole = sum(spent[run.id] for run in ended) / len(ended) if ended else 1.0
    terms = RaceTerms(
        objective=objective.value,
        statistic=DEFAULT_STATISTIC,
        tolerance=DEFAULT_TOLERANCE.value,
        tolerance_is_share=DEFAULT_TOLERANCE.is_share,
        confidence=DEFAULT_CONFIDENCE,
        cap=read_cap(DEFAULT_CAP),
        max_hours=None,
        rung=RUNG,
        score_episodes=None,
        planned_run_steps=whole,
        planned_rung_steps=RUNG * whole,
    )
    return changed_terms(terms, replace(asked, objective=None))
