"""The moves that lower the risk most per env step, beyond the opening.

What a move removes is computed with the means as they are and the variance as it will be (as OCBA does; Chen et al.
2000, Discrete Event Dynamic Systems 10). Runs in flight and moves of the same decision count as variance already
reduced, so that a batch spreads.
"""

from collections.abc import Sequence
from math import inf

import numpy as np

from rlsweep.deciding.belief import Belief, Floats
from rlsweep.deciding.records import Move, RaceSettings
from rlsweep.deciding.risk import chances
from rlsweep.deciding.standing import Standing, move_to_end


def best_moves(
    settings: RaceSettings,
    standing: Standing,
    belief: Belief,
    *,
    leader: int,
    tolerance: float,
    planned: Sequence[Move],
    free: int,
) -> list[Move]:
    """Up to `free` moves within the room, best first; fewer where no other lowers the risk.

    planned: moves of this decision that are chosen already; they count as in flight
    """
    configs = standing.configs
    waiting = np.array([len(config.waiting) for config in configs])
    is_open = np.array([bool(config.full or config.rung) for config in configs])
    used = np.array([sum(move.config == index and move.to_end for move in planned) for index in range(len(configs))])
    coming = np.array([config.to_end for config in configs]) + used
    variance = 1 / (1 / belief.variance + coming / belief.seed_variance)
    seeds = coming + [len(config.full) for config in configs]
    room = standing.room - sum(move.cost for move in planned)
    chosen: list[Move] = []
    while len(chosen) < free:
        cost = np.where(used < waiting, settings.run_cost - settings.rung_cost, settings.run_cost)
        after = 1 / (1 / variance + 1 / belief.seed_variance)
        gain = _risk_removed(belief, variance, after, leader, tolerance) / settings.caution
        if seeds[leader] < settings.fewest_seeds:
            gain[leader] = inf
        worth = np.where(is_open & (cost <= room), gain * settings.run_cost / cost, 0.0)
        best = int(np.argmax(worth))
        if not worth[best] > 0:
            break
        move = move_to_end(settings, standing, best, worth=float(worth[best]), skip=int(used[best]))
        chosen.append(move)
        room -= move.cost
        variance[best] = after[best]
        used[best] += 1
        seeds[best] += 1
    return chosen


def _risk_removed(belief: Belief, variance: Floats, after: Floats, leader: int, tolerance: float) -> Floats:
    """By how much the summed chances fall if the variance of one config falls to `after`. Shape (configs,).

    A config that is believed to be better by more than the tolerance is to be settled at once: its whole chance counts.
    """
    mean, freedom, ours = belief.mean, belief.freedom, float(variance[leader])
    now = chances(mean, variance, ours, leader, tolerance, freedom)
    removed = now - chances(mean, after, ours, leader, tolerance, freedom)
    removed[leader] = now.sum() - chances(mean, variance, float(after[leader]), leader, tolerance, freedom).sum()
    is_ahead = mean - mean[leader] > tolerance
    removed[is_ahead] = now[is_ahead]
    return removed
