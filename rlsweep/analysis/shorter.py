"""Would a shorter sweep have said the same: ranks at shares of the budget, and who closes in on the leader."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, sqrt

import numpy as np
from scipy import special

from rlsweep.analysis.curves import Floats
from rlsweep.analysis.intervals import FEWEST_SEEDS, holm, p_value_of_difference
from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.ranking import FAMILY_ERROR, groups_of
from rlsweep.analysis.scores import ROUNDING, Source, common_source, scores_at, trained_at
from rlsweep.analysis.seed_record import SeedRecord

SHARES = tuple(tenth / 10 for tenth in range(1, 11))

FEWEST_RANKED = 2

CLOSING_FROM = 0.6
"""Share of the budget since which a gap must close: the scores there and at the end have no episode in common."""

FARTHEST = 2.0
"""Budgets beyond which no crossing is foretold."""

GRID = 201
"""Places at which it is asked whether two configs may have crossed."""

WIDTH = 0.9
"""Confidence of the range in which two configs may cross."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RankedAt:
    """The configs after a share of the budget, by their place in the sequence given.

    env_steps: where the runs are scored, on average; updates: the fewest of a run until there
    groups: best first, as `Ranking` has them: without those that have no score there, or one seed beside others' more
    """

    share: float
    env_steps: float
    updates: int
    groups: tuple[tuple[int, ...], ...]

    @property
    def order(self) -> tuple[int, ...]:
        """All configs, best first: by group, and by mean score within one."""
        return tuple(config for group in self.groups for config in group)

    @property
    def ranks(self) -> dict[int, int]:
        """By config: 1 + the number of configs in better groups."""
        found: dict[int, int] = {}
        for group in self.groups:
            found |= dict.fromkeys(group, len(found) + 1)
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class ClosingIn:
    """A config whose gap to the leader closes.

    at: share of the budget, above 1, at which they cross if both go on as since CLOSING_FROM; low, high: its range at
        WIDTH; high is infinite where they may never cross
    """

    config: int
    leader: int
    at: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Shorter:
    """What less of the budget would have said.

    source: of the scores, the one that the report ranks by
    steps: one for each of SHARES; those at which a run has no score are left out
    ranks_since, top_since, leader_since: the first share from which on all ranks, the best group, and the first config
        are those at the end
    closing_in: the config that would cross the leader soonest; None where no trend supports it
    """

    source: Source
    steps: tuple[RankedAt, ...]
    ranks_since: float
    top_since: float
    leader_since: float
    closing_in: ClosingIn | None


def shorter(configs: Sequence[Sequence[SeedRecord]], objective: Objective) -> Shorter | None:
    """Rank configs by whole runs at each share of their budget; None unless two configs have such runs with scores."""
    scored = [[_by_share(run, objective) for run in runs] for runs in configs]
    runs = [run for seeds in scored for run in seeds]
    source = common_source(run[1.0] for run in runs)
    reached = _reached([run for seeds in configs for run in seeds])
    ends = {share: reached[share][0] for share in SHARES if all(source in run[share] for run in runs)}
    if 1.0 not in ends:
        return None
    table = {
        share: [tuple(objective.signed(run[share][source]) for run in seeds) for seeds in scored]
        for share in _apart(ends)
    }
    steps = tuple(
        RankedAt(share=share, env_steps=ends[share], updates=reached[share][1], groups=groups_of(scores))
        for share, scores in table.items()
    )
    last = steps[-1]
    if len(last.order) < FEWEST_RANKED:
        return None
    return Shorter(
        source=source,
        steps=steps,
        ranks_since=_since(steps, [step.ranks == last.ranks for step in steps]),
        top_since=_since(steps, [set(step.groups[0]) == set(last.groups[0]) for step in steps]),
        leader_since=_since(steps, [step.order[0] == last.order[0] for step in steps]),
        closing_in=_closing_in(table, last.order[0]),
    )


def _by_share(run: SeedRecord, objective: Objective) -> dict[float, dict[Source, float]]:
    """Scores of a run after each share of its budget; one by an evaluation for the score where that was made there."""
    made = run.evaluation_steps[run.evaluation_is_score] / max(run.trained_steps, 1)
    found = dict(zip(SHARES, scores_at(run, objective, SHARES), strict=True))
    for share, by_source in found.items():
        if not ((made >= share - ROUNDING) & (made < share + SHARES[0])).any():
            by_source.pop(Source.SCORE_EVALUATION, None)
    return found


def _reached(runs: Sequence[SeedRecord]) -> dict[float, tuple[float, int]]:
    """Where the runs are scored by share: the mean of their env steps there, and the fewest updates until there."""
    steps = np.array([trained_at(run, SHARES) for run in runs]).reshape(-1, len(SHARES))
    updates = [np.searchsorted(run.update_steps, at, side="right") for run, at in zip(runs, steps, strict=True)]
    if not runs:
        return dict.fromkeys(SHARES, (0.0, 0))
    return {
        share: (float(at), int(number))
        for share, at, number in zip(SHARES, steps.mean(axis=0), np.min(updates, axis=0), strict=True)
    }


def _apart(ends: dict[float, float]) -> list[float]:
    """The shares less those that are scored where the next one is: a run with few updates has few places."""
    shares = sorted(ends)
    return [share for share, after in pairwise([*shares, inf]) if after == inf or ends[after] > ends[share]]


def _since(steps: Sequence[RankedAt], is_same: Sequence[bool]) -> float:
    """The first share from which on all are the same."""
    first = len(steps) - 1
    while first > 0 and is_same[first - 1]:
        first -= 1
    return steps[first].share


def _closing_in(table: dict[float, list[tuple[float, ...]]], leader: int) -> ClosingIn | None:
    """The config that crosses the leader soonest, of those whose gap closes significantly (Welch, Holm)."""
    if CLOSING_FROM not in table:
        return None
    now = [np.array(scores) for scores in table[1.0]]
    before = [np.array(scores) for scores in table[CLOSING_FROM]]
    slopes = [(late - early) / (1 - CLOSING_FROM) for late, early in zip(now, before, strict=True)]
    rivals = [config for config, scores in enumerate(now) if config != leader and len(scores) >= FEWEST_SEEDS]
    if len(now[leader]) < FEWEST_SEEDS or not rivals:
        return None
    rates = [_rate(slopes[config], slopes[leader]) for config in rivals]
    adjusted = holm([p_value for _, p_value in rates])
    found = []
    for config, (rate, _), p_value in zip(rivals, rates, adjusted, strict=True):
        gap = float(now[leader].mean() - now[config].mean())
        if p_value >= FAMILY_ERROR or gap <= 0 or 1 + gap / rate > FARTHEST:
            continue
        low, high = _range((now[config], slopes[config]), (now[leader], slopes[leader]))
        found.append(ClosingIn(config=config, leader=leader, at=1 + gap / rate, low=low, high=high))
    return min(found, key=lambda each: each.at, default=None)


def _rate(ours: Floats, leaders: Floats) -> tuple[float, float]:
    """By how much a budget closes the gap, and the one-sided p-value that it does not close."""
    rate = float(ours.mean() - leaders.mean())
    return rate, p_value_of_difference(ours.tolist(), leaders.tolist()) / 2 if rate > 0 else 1.0


def _range(ours: tuple[Floats, Floats], leaders: tuple[Floats, Floats]) -> tuple[float, float]:
    """The shares of the budget between which two configs may cross, from their seeds' scores and slopes.

    From where ours may have passed the leader to where it surely has, by Welch's t at WIDTH. Infinite if that is beyond
    FARTHEST budgets.
    """
    low = high = inf
    for beyond in np.linspace(0.0, FARTHEST - 1, GRID):
        difference, half = _difference(ours[0] + beyond * ours[1], leaders[0] + beyond * leaders[1])
        if low == inf and difference + half >= 0:
            low = 1 + float(beyond)
        if difference - half > 0:
            high = 1 + float(beyond)
            break
    return low, high


def _difference(ours: Floats, theirs: Floats) -> tuple[float, float]:
    """Difference of two means, and half of its interval at WIDTH."""
    parts = [float(np.var(values, ddof=1)) / len(values) for values in (ours, theirs)]
    error = sqrt(sum(parts))
    if error == 0:
        return float(ours.mean() - theirs.mean()), 0.0
    shares = [(part / error**2) ** 2 / (len(values) - 1) for part, values in zip(parts, (ours, theirs), strict=True)]
    half = error * float(special.stdtrit(1 / sum(shares), (1 + WIDTH) / 2))
    return float(ours.mean() - theirs.mean()), half
