"""The risk of a choice, and what can be promised of it.

risk     the chance that any other config is better than the leader by more than a margin: Student's t, summed over all
         others. One minus it bounds the probability of good selection from below (Branke, Chick and Schmidt 2007,
         Management Science 53)
promise  the least margin at which the risk is small enough; none finer than the tolerance, at which the race stops
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from rlsweep.deciding.belief import Belief, Floats

HALVINGS = 30
"""Steps in which the promise is narrowed down: to a billionth of where it was first bounded."""


def chances(
    mean: Floats, variance: Floats, leader_variance: float, leader: int, margin: float, freedom: float
) -> Floats:
    """Chance of each config to be better than the leader by more than the margin; 0 for the leader itself."""
    found = np.asarray(special.stdtr(freedom, (mean - mean[leader] - margin) / np.sqrt(variance + leader_variance)))
    found[leader] = 0.0
    return found


def chances_to_beat(belief: Belief, leader: int, margin: float) -> Floats:
    """The same, as a belief has it."""
    return chances(belief.mean, belief.variance, float(belief.variance[leader]), leader, margin, belief.freedom)


def promise_of(belief: Belief, leader: int, risk: float, tolerance: float) -> float:
    """The least margin from the tolerance up, in units of the score, at which the summed chances are at most `risk`."""

    def is_kept(margin: float) -> bool:
        return float(chances_to_beat(belief, leader, margin).sum()) <= risk

    if is_kept(tolerance):
        return tolerance
    low, high = tolerance, tolerance + float(np.sqrt(belief.variance.max()))
    while not is_kept(high):
        high += high - low
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_kept(middle) else (middle, high)
    return high


def leader_of(belief: Belief, seeds: NDArray[np.int_], fewest: int = 1) -> int:
    """The config with the highest expected score among those with so many seeds, or with as many as any has."""
    enough = min(fewest, int(seeds.max()))
    return int(np.argmax(np.where(seeds >= enough, belief.mean, -np.inf)))


def contenders_of(belief: Belief, leader: int, level: float) -> tuple[int, ...]:
    """Configs whose equality with the leader is not excluded at this level (Bonferroni), likeliest first."""
    equal = chances_to_beat(belief, leader, 0.0)
    excluded_at = level / max(1, len(equal) - 1)
    return tuple(
        int(config) for config in np.argsort(-equal, kind="stable") if config != leader and equal[config] > excluded_at
    )
