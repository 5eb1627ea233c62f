"""Evaluations for the scores of a plan's trials."""

from collections.abc import Sequence
from dataclasses import replace

from rlsweep.analysis.objectives import Objective
from rlsweep.config.run import ScoreEvaluation
from rlsweep.deciding.episodes import ScoreEpisodes, episodes_for
from rlsweep.deciding.records import Tolerance
from rlsweep.planning.plan import Plan


def with_score_evaluations(
    plan: Plan, objective: Objective, tolerance: Tolerance, at: Sequence[float]
) -> tuple[Plan, ScoreEpisodes | None]:
    """The plan, its trials evaluated at these shares of the budget, and with how many episodes.

    They are left as they are, with None, if the objective needs no evaluation.
    """
    if objective is Objective.TRAINING_REWARD:
        return plan, None
    episodes = episodes_for(tolerance, is_win_rate=objective is Objective.WIN_RATE)
    update = {"score_evaluation": ScoreEvaluation(at=tuple(at), episodes=episodes.count)}
    trials = tuple(replace(trial, config=trial.config.model_copy(update=update)) for trial in plan.trials)
    return replace(plan, trials=trials), episodes
