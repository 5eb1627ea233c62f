"""Many records at once, of which each is one way in which a sweep may go on: draws × configs as arrays.

`believe` and the risk of a choice, as belief.py and risk.py have them for one record, for hundreds in one go. What
they give for a record whose configs have all finished is the same; tests hold it.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from rlsweep.deciding.belief import LEAST_SHARE, MEDIAN_VARIANCE, Floats
from rlsweep.deciding.records import RaceSettings
from rlsweep.race_records import Statistic

Seeds = NDArray[np.int_]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DrawnRecords:
    """Full scores, as far as beliefs need them. All of shape (draws, configs) unless said.

    seeds: how many full scores; mean: of them; squares: their summed squared distance from it
    unfinished_mean, unfinished_variance: (configs,) what is believed of a config that has none
    start: the starting level
    """

    seeds: Seeds
    mean: Floats
    squares: Floats
    unfinished_mean: Floats
    unfinished_variance: Floats
    start: float

    def of(self, draws: Seeds) -> "DrawnRecords":
        """A copy of these draws."""
        return replace(self, seeds=self.seeds[draws], mean=self.mean[draws], squares=self.squares[draws])

    def add(self, draw: Seeds, config: Seeds, score: Floats) -> None:
        """Put one more score a draw on record, none below the starting level (Welford's update). All (draws,)."""
        score = np.maximum(score, self.start)
        self.seeds[draw, config] += 1
        away = score - self.mean[draw, config]
        self.mean[draw, config] += away / self.seeds[draw, config]
        self.squares[draw, config] += away * (score - self.mean[draw, config])


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DrawnBeliefs:
    """See `Belief`.

    seeds, mean, variance, seed_variance: (draws, configs); freedom, tolerance: (draws, 1); leader: (draws,)
    """

    seeds: Seeds
    mean: Floats
    variance: Floats
    seed_variance: Floats
    freedom: Floats
    tolerance: Floats
    leader: Seeds

    def of(self, draws: NDArray[np.bool_]) -> "DrawnBeliefs":
        """Some of the draws."""
        return DrawnBeliefs(**{each.name: getattr(self, each.name)[draws] for each in fields(self)})

    def is_safe(self, settings: RaceSettings) -> NDArray[np.bool_]:
        """Whether the leader has seeds enough, and the risk is small enough; (draws,)."""
        found = self.seeds[np.arange(len(self.seeds)), self.leader] >= settings.fewest_seeds
        most = settings.caution * (1 - settings.confidence)
        found &= special.stdtr(self.freedom[:, 0], self._scaled_leads().max(1)) <= most  # of the likeliest alone
        found[found] = self.of(found).risk(settings) <= 1 - settings.confidence
        return found

    def risk(self, settings: RaceSettings) -> Floats:
        """The stated risk of each draw's leader; (draws,)."""
        found = special.stdtr(self.freedom, self._scaled_leads())
        return np.asarray(np.minimum(1.0, found.sum(1) / settings.caution), dtype=np.float64)

    def _scaled_leads(self) -> Floats:
        """How far each config is ahead of the leader by more than the tolerance, in its scatter; (draws, configs)."""
        ours = self.leader[:, np.newaxis]
        ahead = self.mean - np.take_along_axis(self.mean, ours, 1) - self.tolerance
        found = ahead / np.sqrt(self.variance + np.take_along_axis(self.variance, ours, 1))
        found[np.arange(len(self.leader)), self.leader] = -np.inf
        return np.asarray(found, dtype=np.float64)


def drawn_beliefs(settings: RaceSettings, records: DrawnRecords) -> DrawnBeliefs:
    """Fit the model to each record; at least one config must have finished."""
    seeds = records.seeds
    has_any = seeds > 0
    best = np.where(has_any, records.mean, -np.inf).max(1, keepdims=True)
    share = settings.tolerance
    tolerance = share.value * (best - records.start) if share.is_share else np.full_like(best, share.value)
    freedom = np.maximum(seeds - 1, 0)
    total = freedom.sum(1, keepdims=True)
    largest = np.abs(np.where(has_any, records.mean, 0.0)).max(1, keepdims=True)
    least = np.maximum((settings.floor * tolerance) ** 2, (LEAST_SHARE * largest) ** 2)
    pooled = np.maximum(records.squares.sum(1, keepdims=True) / np.maximum(total, 1), np.maximum(least, 1e-200))
    prior = settings.prior_freedom
    moderated = (prior * pooled + records.squares) / (prior + freedom)
    if settings.statistic is Statistic.MEDIAN:
        moderated = moderated * MEDIAN_VARIANCE
    mean = np.where(has_any, records.mean, records.unfinished_mean)
    return DrawnBeliefs(
        seeds=seeds,
        mean=mean,
        variance=np.where(has_any, moderated / np.maximum(seeds, 1), records.unfinished_variance),
        seed_variance=moderated,
        freedom=np.maximum(3.0, total + prior / 2),
        tolerance=tolerance,
        leader=np.argmax(np.where(has_any, mean, -np.inf), axis=1),
    )
