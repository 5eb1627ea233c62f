"""ASHA before it is on record: its rungs, checked against the budget."""

from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.wording import number, plural
from rlsweep.deciding.episodes import ScoreEpisodes
from rlsweep.deciding.records import DEFAULT_TOLERANCE
from rlsweep.errors import InputError
from rlsweep.planning.plan import Plan
from rlsweep.planning.scheduler_options import SchedulerOptions
from rlsweep.planning.score_evaluations import with_score_evaluations
from rlsweep.schedulers.asha import AshaSettings, shares

DEFAULT_RUNGS = 4
DEFAULT_REDUCTION = 3
FEWEST = 2
MOST_RUNGS = 20
"""More are of no use: with the smallest reduction, the lowest of 20 is a millionth of the budget."""


def planned_asha(
    plan: Plan, asked: SchedulerOptions, objective: Objective
) -> tuple[AshaSettings, Plan, ScoreEpisodes | None]:
    """The settings, and the plan with score evaluations at each rung. Raises InputError for rungs that cannot be."""
    rungs = DEFAULT_RUNGS if asked.rungs is None else asked.rungs
    reduction = DEFAULT_REDUCTION if asked.reduction is None else asked.reduction
    if not FEWEST <= rungs <= MOST_RUNGS:
        raise InputError(f"--rungs {rungs}: give {FEWEST} to {MOST_RUNGS}; the highest is the whole budget.")
    if reduction < FEWEST:
        raise InputError(f"--reduction {reduction}: give {FEWEST} or more; 3 lets the best third go on from each rung.")
    if len(plan.labels) < FEWEST:
        raise InputError(f"ASHA compares configs, and {plan.labels[0]} is the only one. Add variants of it.")
    settings = AshaSettings(rungs=shares(rungs, reduction), reduction=reduction)
    _check_lowest(plan, settings)
    evaluated, episodes = with_score_evaluations(plan, objective, DEFAULT_TOLERANCE, settings.rungs)
    return settings, evaluated, episodes


def _check_lowest(plan: Plan, settings: AshaSettings) -> None:
    """Raise InputError unless the lowest rung of every trial has an update, or an episode, to be judged by.

    The rungs above are at least twice as far, so that each has updates of its own.
    """
    lowest = settings.rungs[0]
    flags = f"--rungs {len(settings.rungs)} --reduction {settings.reduction}"
    way_out = "Give fewer rungs, a smaller reduction, or a larger budget."
    longest = max(plan.trials, key=lambda trial: trial.config.rollout_steps)
    budget, rollout = longest.config.budget, longest.config.rollout_steps
    if budget.episodes is not None and lowest * budget.episodes < 1:
        of = plural(budget.episodes, "episode")
        raise InputError(f"{flags}: the lowest rung is {lowest * budget.episodes:.2g} of {of}. {way_out}")
    if budget.total_timesteps is not None and budget.episodes is None and lowest * budget.total_timesteps < rollout:
        steps = number(lowest * budget.total_timesteps)
        raise InputError(
            f"{flags}: the lowest rung is {steps} env steps, less than one update of {longest.label}, which takes "
            f"{rollout:,} (n_steps {longest.config.agent.n_steps} × n_envs {longest.config.training.n_envs}). {way_out}"
        )
