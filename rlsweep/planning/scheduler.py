"""A sweep with a scheduler before it is on record: what it is asked for, checked."""

from collections.abc import Callable
from dataclasses import dataclass

from rlsweep.analysis.objectives import Objective
from rlsweep.deciding.episodes import ScoreEpisodes
from rlsweep.planning.asha import planned_asha
from rlsweep.planning.pbt import first_pause, planned_pbt
from rlsweep.planning.plan import Plan
from rlsweep.planning.race_options import DEFAULT_OBJECTIVE, read_objective
from rlsweep.planning.scheduler_options import SchedulerOptions, read_kind
from rlsweep.scheduler_records import SchedulerKind, SchedulerTerms


@dataclass(frozen=True, kw_only=True, slots=True)
class SchedulerPlan:
    """A plan whose runs pause, and what says which ones train on.

    plan: its trials are evaluated for their scores where the objective needs that
    episodes: of each score evaluation, and why; None if the objective needs none
    first_pause: share of the budget at which the runs of the plan pause first; None where each waits for a decision
    """

    plan: Plan
    terms: SchedulerTerms
    episodes: ScoreEpisodes | None
    first_pause: float | None

    @property
    def objective(self) -> Objective:
        """What is scored."""
        return Objective(self.terms.objective)


def scheduler_plan(plan: Plan, asked: SchedulerOptions) -> SchedulerPlan | None:
    """Check what a scheduler is asked for; None where none is. Raises InputError."""
    kind = read_kind(asked)
    return None if kind is None else _PLANNED[kind](plan, asked)


def ends_early(scheduler: SchedulerPlan | None) -> bool:
    """Whether some runs may never train to the end of their budgets. A population's do."""
    return scheduler is not None and scheduler.terms.kind is SchedulerKind.ASHA


def _asha(plan: Plan, asked: SchedulerOptions) -> SchedulerPlan:
    objective = DEFAULT_OBJECTIVE if asked.objective is None else read_objective(asked.objective)
    settings, evaluated, episodes = planned_asha(plan, asked, objective)
    terms = SchedulerTerms(kind=SchedulerKind.ASHA, objective=objective.value, settings=settings.to_json())
    return SchedulerPlan(plan=evaluated, terms=terms, episodes=episodes, first_pause=None)


def _pbt(plan: Plan, asked: SchedulerOptions) -> SchedulerPlan:
    settings, members, objective, episodes = planned_pbt(plan, asked)
    terms = SchedulerTerms(kind=SchedulerKind.PBT, objective=objective.value, settings=settings.to_json())
    return SchedulerPlan(plan=members, terms=terms, episodes=episodes, first_pause=first_pause(settings, members))


_PLANNED: dict[SchedulerKind, Callable[[Plan, SchedulerOptions], SchedulerPlan]] = {
    SchedulerKind.ASHA: _asha,
    SchedulerKind.PBT: _pbt,
}
