"""What a record shows of one choice: its risk, its contenders, and the runs that would settle it."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf

import numpy as np

from rlsweep.deciding.belief import Belief, believe, resolve_tolerance
from rlsweep.deciding.caveats import caveats_of
from rlsweep.deciding.moves import best_moves
from rlsweep.deciding.records import Decision, Move, RaceRecord, RaceSettings
from rlsweep.deciding.risk import chances, chances_to_beat, contenders_of, promise_of
from rlsweep.deciding.standing import standing_of

MOST_RUNS_TO_SETTLE = 64


def judge(settings: RaceSettings, record: RaceRecord, belief: Belief, choice: int, tolerance: float) -> Decision:
    """What the record shows of a config that has a full score, without moves and stop."""
    level = settings.caution * (1 - settings.confidence)
    contenders = contenders_of(belief, choice, level)
    sd = float(np.sqrt(belief.variance[choice]))
    caveats = caveats_of(record, leader=choice, leader_sd=sd, tolerance=tolerance)
    may_claim = not any(caveat.forbids_claim for caveat in caveats)
    return Decision(
        belief_mean=tuple(belief.mean.tolist()),
        belief_sd=tuple(np.sqrt(belief.variance).tolist()),
        leader=choice,
        risk=min(1.0, float(chances_to_beat(belief, choice, tolerance).sum()) / settings.caution),
        promise=promise_of(belief, choice, level, tolerance),
        tolerance=tolerance,
        contenders=contenders,
        may_claim=may_claim,
        is_winner=may_claim and not contenders,
        moves=(),
        stop=None,
    )


def judge_choice(settings: RaceSettings, record: RaceRecord, choice: int) -> Decision | None:
    """The same from the record alone, for a choice that was made elsewhere; None if it has no full score."""
    standing = standing_of(settings, record)
    tolerance = resolve_tolerance(settings, standing)
    if tolerance is None or not standing.configs[choice].full:
        return None
    return judge(settings, record, believe(settings, standing, tolerance), choice, tolerance)


def runs_to_settle(settings: RaceSettings, record: RaceRecord, choice: int) -> int | None:
    """About how many more runs make the choice safe, if the means stay as they are; None for more than a few dozen.

    The runs are those that a race would train, whatever its cap, those of the configs that it is to draw included.
    """
    standing = replace(standing_of(settings, record), room=inf)
    tolerance = resolve_tolerance(settings, standing)
    if tolerance is None or not standing.configs[choice].full:
        return None
    belief = believe(settings, standing, tolerance)
    moves = best_moves(
        settings, standing, belief, leader=choice, tolerance=tolerance, planned=(), free=MOST_RUNS_TO_SETTLE
    )
    seeds = len(standing.configs[choice].full)
    for number, risk in enumerate(_risks_after(settings, belief, choice, tolerance, moves)):
        has_seeds = seeds + sum(move.config == choice for move in moves[:number]) >= settings.fewest_seeds
        if has_seeds and risk <= 1 - settings.confidence:
            return number + standing.to_draw
    return None


def _risks_after(
    settings: RaceSettings, belief: Belief, choice: int, tolerance: float, moves: Sequence[Move]
) -> list[float]:
    """The risk now and after each of the moves, with the means as they are."""
    variance = belief.variance.copy()
    risks = []
    for move in (None, *moves):
        if move is not None:
            variance[move.config] = 1 / (1 / variance[move.config] + 1 / belief.seed_variance[move.config])
        beats = chances(belief.mean, variance, float(variance[choice]), choice, tolerance, belief.freedom)
        risks.append(float(beats.sum()) / settings.caution)
    return risks
