"""A sweep with a scheduler before it is on record: what it is asked for, checked."""

from collections.abc import Callable
from dataclasses import dataclass

from rlsweep.analysis.objectives import Objective
from rlsweep.deciding.episodes import ScoreEpisodes
from rlsweep.errors import InputError
from rlsweep.planning.asha import planned_asha
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
    if kind is None:
        return None
    objective = DEFAULT_OBJECTIVE if asked.objective is None else read_objective(asked.objective)
    if kind not in _PLANNED:
        raise InputError(f"--scheduler {kind} is not built yet; take {' or '.join(_PLANNED)}.")
    return _PLANNED[kind](plan, asked, objective)


def _asha(plan: Plan, asked: SchedulerOptions, objective: Objective) -> SchedulerPlan:
    settings, evaluated, episodes = planned_asha(plan, asked, objective)
    terms = SchedulerTerms(kind=SchedulerKind.ASHA, objective=objective.value, settings=settings.to_json())
    return SchedulerPlan(plan=evaluated, terms=terms, episodes=episodes, first_pause=None)


_PLANNED: dict[SchedulerKind, Callable[[Plan, SchedulerOptions, Objective], SchedulerPlan]] = {
    SchedulerKind.ASHA: _asha,
}
