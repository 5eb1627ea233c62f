"""What a run's score is: the one place that says it, for rankings, reports, pages and races alike.

A score is taken over the end of what was trained, by default over the last fifth of its env steps, and is in the
objective's own unit. It comes from the best source that the run has: evaluations made for the score, periodic
evaluations of the deterministic policy, or the training episodes.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rlsweep.analysis.curves import FIFTH, Floats, Steps, stage_slices
from rlsweep.analysis.finite import finite_mean
from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.seed_record import SeedRecord
from rlsweep.analysis.wording import percent

ROUNDING = 1e-9
"""Shares of a budget that differ by less are one share."""


class Source(StrEnum):
    """Where a score comes from, the one to prefer first; the value is its name in JSON."""

    SCORE_EVALUATION = "score_evaluation"
    EVALUATIONS = "evaluations"
    TRAINING = "training"


def definition(objective: Objective, source: Source, *, until: float = 1.0) -> str:
    """What such a score is, for headers and legends: `evaluation reward, mean of the last fifth`."""
    where = "" if until >= 1 else f" up to {percent(until)} of the budget"
    end = "" if until >= 1 else f", at {percent(until)} of the budget"
    fifth = f"mean of the last fifth{where}"
    if objective in (Objective.WIN_RATE, Objective.EPISODE_LENGTH):
        what = f"{objective.words} of {'training episodes' if source is Source.TRAINING else 'evaluations'}"
    else:
        what = (Objective.TRAINING_REWARD if source is Source.TRAINING else objective).words
    if source is Source.SCORE_EVALUATION:
        return f"{what}{end or ', at the end of the budget'}"
    return f"{what}, {fifth}"


def score_of(record: SeedRecord, objective: Objective, *, until: float = 1.0) -> float | None:
    """The run's score after the share `until` of its budget, from the best source it has; None without any.

    Up to 1 the share is taken at the first update that reaches it, where a run with this rung pauses, so that a run
    that went on has the score there that it had.
    """
    return next(iter(scores_by_source(record, objective, until=until).values()), None)


def scores_by_source(record: SeedRecord, objective: Objective, *, until: float = 1.0) -> dict[Source, float]:
    """The run's score by each source that has one, the one to prefer first.

    To compare runs, take a source that all of them have: the episodes of training and the deterministic policy differ.
    """
    return scores_at(record, objective, (until,))[0]


def scores_at(record: SeedRecord, objective: Objective, shares: Sequence[float]) -> list[dict[Source, float]]:
    """`scores_by_source` after each of these shares of the budget; what they have in common is worked out once."""
    made = _shares(record, record.evaluation_steps[record.evaluation_is_score])
    trained, scores = _trained(record, objective), []
    for until, end in zip(shares, trained_at(record, shares), strict=True):
        found: dict[Source, float | None] = {}
        if objective is not Objective.TRAINING_REWARD:
            found[Source.SCORE_EVALUATION] = _score_evaluation(record, objective, made >= until - ROUNDING)
            found[Source.EVALUATIONS] = _late_evaluations(record, objective, end)
        found[Source.TRAINING] = _late_training(record.env_steps, trained, end)
        scores.append({source: value for source, value in found.items() if value is not None})
    return scores


def interval_score(record: SeedRecord, objective: Objective, *, after: int, until: int) -> float | None:
    """The run's score of the env steps above `after` and up to `until`: of a member of a population at an interval.

    By evaluation reward it is the evaluation for the score at `until`, else the mean over the training episodes that
    ended between: those before had other weights. None without any.
    """
    if objective is Objective.EVALUATION_REWARD:
        is_there = record.evaluation_is_score & (record.evaluation_steps == until)
        return finite_mean(record.evaluation_reward[is_there])
    is_between = (record.env_steps > after) & (record.env_steps <= until)
    return finite_mean(_trained(record, objective)[is_between])


def common_source(scores: Iterable[Mapping[Source, float]]) -> Source:
    """The best source that every one of these runs has; training where there is no run."""
    runs = list(scores)
    return next((source for source in Source if runs and all(source in run for run in runs)), Source.TRAINING)


def starting_level(records: Sequence[SeedRecord], objective: Objective) -> float | None:
    """The score of a policy that has not learned: mean over runs of their training episodes before the first update.

    Where no episode ended before it, a run's first episode stands for them. None without an episode.
    """
    levels = [level for record in records if (level := level_before_learning(record, objective)) is not None]
    return float(np.mean(levels)) if levels else None


def level_before_learning(record: SeedRecord, objective: Objective) -> float | None:
    """One run's share of `starting_level`."""
    values = _trained(record, objective)
    if record.update_steps.size == 0:
        return finite_mean(values)
    before = values[record.env_steps <= record.update_steps[0]]
    return finite_mean(before if before.size else values[:1])


def trained_at(record: SeedRecord, shares: Sequence[float]) -> list[int]:
    """Env steps at the first update that reaches each share of the budget; all that was trained where none does."""
    all_trained = max(record.trained_steps, int(record.env_steps[-1]) if record.env_steps.size else 0)
    spent = _shares(record, record.update_steps) if min(shares, default=1.0) < 1 else np.zeros(0)
    first = np.searchsorted(spent, np.asarray(shares) - ROUNDING).tolist()
    return [
        int(record.update_steps[place]) if until < 1 and place < spent.size else all_trained
        for until, place in zip(shares, first, strict=True)
    ]


def _shares(record: SeedRecord, env_steps: Steps) -> Floats:
    """The spent share of the budget at each of these env steps; of what was trained, without a budget."""
    if env_steps.size == 0:
        return np.zeros(0)
    budget = record.budget
    shares = []
    if budget.total_timesteps is not None:
        shares.append(env_steps / budget.total_timesteps)
    if budget.episodes is not None:
        shares.append(np.searchsorted(record.env_steps, env_steps, side="right") / budget.episodes)
    if not shares:
        shares.append(env_steps / max(record.trained_steps, 1))
    return np.asarray(np.max(shares, axis=0), dtype=np.float64)


def _score_evaluation(record: SeedRecord, objective: Objective, is_reached: NDArray[np.bool_]) -> float | None:
    """By the first evaluation for the score of those that reach the share."""
    if not is_reached.any():
        return None
    return finite_mean(_evaluated(record, objective)[record.evaluation_is_score][[int(np.argmax(is_reached))]])


def _late_evaluations(record: SeedRecord, objective: Objective, end: int) -> float | None:
    steps = record.evaluation_steps
    if steps.size == 0:
        return None
    late = ~record.evaluation_is_score & (steps > (1 - FIFTH) * end) & (steps <= end)
    return finite_mean(_evaluated(record, objective)[late])


def _late_training(env_steps: Steps, values: Floats, end: int) -> float | None:
    kept = slice(int(np.searchsorted(env_steps, end, side="right")))
    (late,) = stage_slices(env_steps[kept], [1 - FIFTH], [1.0])
    return finite_mean(values[kept][late])


def _trained(record: SeedRecord, objective: Objective) -> Floats:
    """The objective's value of each training episode; NaN where it has none."""
    if objective is Objective.WIN_RATE:
        return record.won
    return record.length.astype(np.float64) if objective is Objective.EPISODE_LENGTH else record.reward


def _evaluated(record: SeedRecord, objective: Objective) -> Floats:
    """The objective's value of each evaluation; NaN where it has none."""
    if objective is Objective.WIN_RATE:
        return record.evaluation_win_rate
    return record.evaluation_length if objective is Objective.EPISODE_LENGTH else record.evaluation_reward
