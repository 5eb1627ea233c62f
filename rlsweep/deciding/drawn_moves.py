"""The moves of `moves.best_moves` for many drawn records at once.

Student's t is replaced by a normal value of nearly the same probability (Wallace 1959, Annals of Mathematical
Statistics 30), which is twelve times as fast; it only chooses moves, and the risk is computed as it is elsewhere.
"""

from collections.abc import Iterator
from math import inf

import numpy as np
from scipy import special

from rlsweep.deciding.belief import Floats
from rlsweep.deciding.drawn_records import DrawnBeliefs, Seeds
from rlsweep.deciding.records import RaceSettings


def drawn_moves(
    settings: RaceSettings, beliefs: DrawnBeliefs, waiting: Seeds, number: int
) -> Iterator[tuple[Seeds, Floats]]:
    """So many moves to the end, one a draw at a time: the config and the cost, (draws,) each.

    waiting: (draws, configs) runs at the rung, which are continued first. A move counts as variance already reduced.
    """
    rows = np.arange(len(beliefs.leader))
    leader = beliefs.leader
    variance, seeds = beliefs.variance.copy(), beliefs.seeds.copy()
    waiting = waiting.copy()
    is_open = (beliefs.seeds > 0) | (waiting > 0)
    for _ in range(number):
        cost = np.where(waiting > 0, settings.run_cost - settings.rung_cost, settings.run_cost)
        after = 1 / (1 / variance + 1 / beliefs.seed_variance)
        worth = _risk_removed(beliefs, variance, after)
        worth[rows, leader] = np.where(seeds[rows, leader] < settings.fewest_seeds, inf, worth[rows, leader])
        chosen = np.argmax(np.where(is_open, worth / cost, -inf), axis=1)
        yield chosen, cost[rows, chosen]
        variance[rows, chosen] = after[rows, chosen]
        seeds[rows, chosen] += 1
        waiting[rows, chosen] = np.maximum(waiting[rows, chosen] - 1, 0)


def _risk_removed(beliefs: DrawnBeliefs, variance: Floats, after: Floats) -> Floats:
    """By how much the summed chances fall if the variance of one config falls to `after`; (draws, configs)."""
    rows, leader = np.arange(len(beliefs.leader)), beliefs.leader
    column = leader[:, np.newaxis]
    ahead = beliefs.mean - np.take_along_axis(beliefs.mean, column, 1) - beliefs.tolerance
    ours = np.take_along_axis(variance, column, 1)
    now = _chances(beliefs, ahead, variance + ours)
    removed = now - _chances(beliefs, ahead, after + ours)
    better = _chances(beliefs, ahead, variance + np.take_along_axis(after, column, 1))
    removed[rows, leader] = now.sum(1) - better.sum(1)
    return np.where(ahead > 0, now, removed)


def _chances(beliefs: DrawnBeliefs, ahead: Floats, variance: Floats) -> Floats:
    """Nearly `risk.chances`, 0 for the leader itself."""
    t, freedom = ahead / np.sqrt(variance), beliefs.freedom
    normal = np.sqrt(np.log1p(t * t / freedom)) * (np.sqrt(freedom) * (8 * freedom + 1) / (8 * freedom + 3))
    found = special.ndtr(np.copysign(normal, t))
    found[np.arange(len(beliefs.leader)), beliefs.leader] = 0.0
    return np.asarray(found, dtype=np.float64)
