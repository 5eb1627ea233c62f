"""The decision of a race: a pure function of its settings and its record.

Every config's first seed trains to the rung, half of the budget, and pauses there. The best go on to the end, and the
best of those get a second seed (opening.py). Then runs are trained that lower the risk most per env step (moves.py),
until the risk is small enough or the cap is reached. Nothing is ever killed: what waits at the rung may go on later.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import inf

import numpy as np

from rlsweep.deciding.belief import Belief, believe, resolve_tolerance
from rlsweep.deciding.moves import best_moves
from rlsweep.deciding.opening import opening_moves
from rlsweep.deciding.records import Decision, Move, RaceRecord, RaceSettings, Stop
from rlsweep.deciding.risk import chances_to_beat, contenders_of, leader_of, promise_of
from rlsweep.deciding.standing import Standing, standing_of


def decide(settings: RaceSettings, record: RaceRecord, *, free: int) -> Decision:
    """Say what the record shows, and what to start on so many free slots.

    It may be asked at any time. No move waits for a wave to end; none passes the cap, with what is in flight paid.
    The same settings, record and slots give the same decision, bit for bit.
    """
    standing = standing_of(settings, record)
    demanded = opening_moves(settings, standing)
    planned = _affordable(demanded, standing.room, free)
    tolerance = resolve_tolerance(settings.tolerance, standing, record.start)
    if tolerance is None or not any(config.full for config in standing.configs):
        return _first_decision(standing, demanded, planned, tolerance)

    belief = believe(settings, standing, start=record.start, tolerance=tolerance)
    seeds = np.array([len(config.full) for config in standing.configs])
    leader = leader_of(belief, seeds)
    level = settings.caution * (1 - settings.confidence)
    is_safe = (
        not demanded
        and seeds[leader] >= settings.fewest_seeds
        and float(chances_to_beat(belief, leader, tolerance).sum()) <= level
    )
    moves = planned
    if not is_safe:
        moves = planned + best_moves(
            settings,
            standing,
            belief,
            leader=leader,
            tolerance=tolerance,
            planned=planned,
            free=free - len(planned),
        )
    stop = None
    if free > 0 and not moves and not standing.has_flights:
        stop = Stop.SAFE if is_safe else _stop_at(settings, standing, belief, leader, tolerance, demanded)
        leader = leader_of(belief, seeds, settings.fewest_seeds)
    return _shown(settings, belief, leader, tolerance, moves, stop)


def _affordable(demanded: Sequence[Move], room: float, free: int) -> list[Move]:
    """The first of them that fit into the room and the slots."""
    planned: list[Move] = []
    for move in demanded:
        if len(planned) < free and move.cost <= room:
            planned.append(move)
            room -= move.cost
    return planned


def _stop_at(
    settings: RaceSettings,
    standing: Standing,
    belief: Belief,
    leader: int,
    tolerance: float,
    demanded: Sequence[Move],
) -> Stop:
    """Why nothing more is started: the cap, or that no move would lower the risk, whatever it cost."""
    unlimited = replace(standing, room=inf)
    would = best_moves(settings, unlimited, belief, leader=leader, tolerance=tolerance, planned=(), free=1)
    return Stop.CAP if demanded or would else Stop.NOTHING_LEFT


def _first_decision(
    standing: Standing, demanded: Sequence[Move], moves: Sequence[Move], tolerance: float | None
) -> Decision:
    """Before any run has finished."""
    stop = None
    if not moves and not standing.has_flights:
        stop = Stop.CAP if demanded else Stop.NOTHING_LEFT
    return Decision(
        belief_mean=(),
        belief_sd=(),
        leader=None,
        risk=None,
        promise=None,
        tolerance=tolerance,
        contenders=(),
        is_winner=False,
        moves=tuple(moves),
        stop=stop,
    )


def _shown(
    settings: RaceSettings, belief: Belief, leader: int, tolerance: float, moves: Sequence[Move], stop: Stop | None
) -> Decision:
    level = settings.caution * (1 - settings.confidence)
    contenders = contenders_of(belief, leader, level)
    return Decision(
        belief_mean=tuple(belief.mean.tolist()),
        belief_sd=tuple(np.sqrt(belief.variance).tolist()),
        leader=leader,
        risk=min(1.0, float(chances_to_beat(belief, leader, tolerance).sum()) / settings.caution),
        promise=promise_of(belief, leader, level),
        tolerance=tolerance,
        contenders=contenders,
        is_winner=not contenders,
        moves=tuple(moves),
        stop=stop,
    )
