"""The decision of a race: a pure function of its settings and its record.

Every config's first seed trains to the rung, half of the budget, and pauses there. The best go on to the end, and the
best of those get a second seed (opening.py). Then runs are trained that lower the risk most per env step (moves.py),
until the risk is small enough or the cap is reached. Nothing is ever killed: what waits at the rung may go on later.

A race that draws configs while it runs is not safe before it has them all: a config that was not drawn may be the best,
and no risk is known of it. The cap stops it before that.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import inf

import numpy as np

from rlsweep.deciding.belief import believe, resolve_tolerance
from rlsweep.deciding.choice import judge
from rlsweep.deciding.moves import best_moves
from rlsweep.deciding.opening import opening_moves
from rlsweep.deciding.records import Decision, Move, RaceRecord, RaceSettings, Stop
from rlsweep.deciding.risk import leader_of
from rlsweep.deciding.standing import Standing, standing_of


def decide(settings: RaceSettings, record: RaceRecord, *, free: int) -> Decision:
    """Say what the record shows, and what to start on so many free slots.

    It may be asked at any time. No move waits for a wave to end; none passes the cap, with what is in flight paid.
    The same settings, record and slots give the same decision, bit for bit.
    """
    standing = standing_of(settings, record)
    demanded = opening_moves(settings, standing)
    planned = _affordable(demanded, standing.room, free)
    tolerance = resolve_tolerance(settings, standing)
    if tolerance is None or not any(config.full for config in standing.configs):
        return _first_decision(settings, standing, demanded, planned, tolerance, free)

    belief = believe(settings, standing, tolerance)
    seeds = np.array([len(config.full) for config in standing.configs])
    leader = leader_of(belief, seeds)
    shown = judge(settings, record, belief, leader, tolerance)
    if not demanded and seeds[leader] >= settings.fewest_seeds and _is_safe(settings, shown):
        return replace(shown, stop=Stop.SAFE if free > 0 and not standing.has_flights else None)

    weigh = partial(best_moves, settings, belief=belief, leader=leader, tolerance=tolerance)
    moves = planned + weigh(standing=standing, planned=planned, free=free - len(planned))
    if moves or standing.has_flights or free <= 0:
        return replace(shown, moves=tuple(moves))
    is_capped = demanded or weigh(standing=replace(standing, room=inf), planned=(), free=1)
    pick = leader_of(belief, seeds, settings.fewest_seeds)
    if pick != leader:
        shown = judge(settings, record, belief, pick, tolerance)
    return replace(shown, stop=_limit(settings) if is_capped else Stop.NOTHING_LEFT)


def _affordable(demanded: Sequence[Move], room: float, free: int) -> list[Move]:
    """The first of them that fit into the room and the slots."""
    planned: list[Move] = []
    for move in demanded:
        if len(planned) < free and move.cost <= room:
            planned.append(move)
            room -= move.cost
    return planned


def _limit(settings: RaceSettings) -> Stop:
    """What keeps moves that would help from being begun."""
    return Stop.TIME if settings.is_out_of_time else Stop.CAP


def _is_safe(settings: RaceSettings, shown: Decision) -> bool:
    return shown.may_claim and shown.risk is not None and shown.risk <= 1 - settings.confidence


def _first_decision(
    settings: RaceSettings,
    standing: Standing,
    demanded: Sequence[Move],
    moves: Sequence[Move],
    tolerance: float | None,
    free: int,
) -> Decision:
    """Before any run has finished."""
    stop = None
    if free > 0 and not moves and not standing.has_flights:
        stop = _limit(settings) if demanded else Stop.NOTHING_LEFT
    return Decision(
        belief_mean=(),
        belief_sd=(),
        leader=None,
        risk=None,
        promise=None,
        tolerance=tolerance,
        contenders=(),
        may_claim=False,
        is_winner=False,
        moves=tuple(moves),
        stop=stop,
    )
