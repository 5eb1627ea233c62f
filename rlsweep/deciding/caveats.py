"""Where the figures of a race do not bear a claim, and why.

A caveat that forbids: no risk is claimed and no winner is named, whatever the computed risk. The thresholds were set on
published learning curves (ARLBench; Becktepe et al. 2024, arXiv 2409.18827): they refuse most of the tables in which a
seed finds the reward or scores nothing, and few of the others.
"""

from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from rlsweep.deciding.records import RaceRecord, SeedScores
from rlsweep.deciding.rises import rise_of

FEWEST_CONFIGS = 3

AT_START = 0.05
"""A run has left the starting level if it gained more than this share of the way from there to the best config."""

MOST = 0.8
"""Share of the configs' first runs at the starting level that forbids a claim: in broad sweeps half are dead."""

CLEARLY_LEFT = 4.0
"""Standard errors by which the best config must have left the starting level, as the best of many does by luck."""

LOW, HIGH = 0.1, 0.5
"""Shares of the way to the leader: a config whose seeds end below the one and above the other has two clusters."""

FEWEST_SPLIT = 2
"""Configs with two clusters that forbid a claim; the leader alone suffices."""

FEWEST_APART, MOST_WITHIN = 2, 0.5
"""Two clusters away from the starting level: so many seeds in each, HIGH of the way apart, and each scattered over so
small a share of that gap together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FewConfigs:
    """There are too few configs to estimate how they scatter."""

    configs: int

    @property
    def forbids_claim(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class StillAtStart:
    """Most runs have learned nothing.

    runs: of the configs' first runs, those at the starting level; of: all first runs with a score
    """

    runs: int
    of: int

    @property
    def forbids_claim(self) -> bool:
        """Always: a config whose one seed found nothing may be as good as the best."""
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class TwoClusters:
    """Seeds of one config end either low or far above: its mean and the tails of Student's t say little.

    configs: those that show it; of: configs with at least two finished seeds
    """

    configs: tuple[int, ...]
    of: int

    @property
    def forbids_claim(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Overtaking:
    """A config that would pass the leader with twice the budget, if both go on as they slow down now.

    gap: by how much the leader's score is above its score now; ahead: how far above the leader it would be then
    """

    config: int
    gap: float
    ahead: float


@dataclass(frozen=True, kw_only=True, slots=True)
class StillRising:
    """A longer budget may turn the order: the answer holds for this budget.

    leader; overtaking: those that may pass it, the farthest ahead first
    rise: by how much the leader's score rose from the rung to the end
    is_steep: neither the leader nor one of them slows down: they rose as much after the rung as before it
    """

    leader: int
    overtaking: tuple[Overtaking, ...]
    rise: float
    is_steep: bool

    @property
    def forbids_claim(self) -> bool:
        """Only where the end of the rise is out of sight."""
        return self.is_steep


Caveat = FewConfigs | StillAtStart | TwoClusters | StillRising


def caveats_of(record: RaceRecord, *, leader: int, leader_sd: float, tolerance: float) -> tuple[Caveat, ...]:
    """What stands against a claim, given the decision's leader, `belief_sd[leader]` and tolerance."""
    full = [[max(each.full, record.start) for each in seeds if each.full is not None] for seeds in record.scores]
    way = fmean(full[leader]) - record.start
    first = [score - record.start for score in map(_first_score, record.scores) if score is not None]
    is_clear = way >= CLEARLY_LEFT * leader_sd
    dead = sum(gain <= AT_START * way for gain in first) if is_clear else len(first)
    found: list[Caveat] = []
    if len(record.scores) < FEWEST_CONFIGS:
        found.append(FewConfigs(configs=len(record.scores)))
    if dead >= MOST * len(first):
        found.append(StillAtStart(runs=dead, of=len(first)))
    split = tuple(index for index, scores in enumerate(full) if _is_split(scores, record.start, way))
    if is_clear and (leader in split or len(split) >= FEWEST_SPLIT):
        found.append(TwoClusters(configs=split, of=sum(len(scores) > 1 for scores in full)))
    rising = _still_rising(record, full, leader, tolerance)
    if is_clear and rising is not None:
        found.append(rising)
    return tuple(found)


def _is_split(scores: list[float], start: float, way: float) -> bool:
    if len(scores) < 2:
        return False
    ordered = sorted(scores)
    if ordered[0] <= start + LOW * way and ordered[-1] >= start + HIGH * way:
        return True
    middle = ordered[FEWEST_APART - 1 : len(ordered) - FEWEST_APART + 1]
    gap = max((upper - lower for lower, upper in pairwise(middle)), default=0.0)
    return gap >= HIGH * way and ordered[-1] - ordered[0] - gap <= MOST_WITHIN * gap


def _first_score(seeds: tuple[SeedScores, ...]) -> float | None:
    """The newest score of a config's first run that has one."""
    scores = (each.rung if each.full is None else each.full for each in seeds)
    return next((score for score in scores if score is not None), None)


def _still_rising(record: RaceRecord, full: list[list[float]], leader: int, tolerance: float) -> StillRising | None:
    rises = [rise_of(seeds, record.start) for seeds in record.scores]
    ours = rises[leader]
    if ours is None:
        return None
    top = fmean(full[leader])
    overtaking, steep = [], False
    for index, theirs in enumerate(rises):
        if index == leader or theirs is None:
            continue
        gap = top - fmean(full[index])
        ahead = theirs.to_come - ours.to_come - gap
        if ahead > tolerance:
            overtaking.append(Overtaking(config=index, gap=gap, ahead=ahead))
            steep = steep or min(theirs.pace, ours.pace) >= 1
    overtaking.sort(key=lambda each: -each.ahead)
    if not overtaking:
        return None
    return StillRising(leader=leader, overtaking=tuple(overtaking), rise=ours.gain, is_steep=steep)
