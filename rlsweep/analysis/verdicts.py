"""Verdicts on configs after a short sweep. The first rule that matches decides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import special

from rlsweep.analysis.figures import ConfigFigures, SeedFigures
from rlsweep.analysis.instability import instabilities
from rlsweep.analysis.intervals import (
    FEWEST_SEEDS,
    MOST_SEEDS,
    Estimate,
    dominance,
    estimate,
    gap_in_sd,
    seeds_to_exclude,
    seeds_to_tell_apart,
)
from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.ranking import Ranking
from rlsweep.analysis.scale import Scale, scale_of
from rlsweep.analysis.update_counts import GOOD_UPDATES, TOO_FEW_UPDATES
from rlsweep.analysis.wording import number, of_seeds, percent, plural, signed
from rlsweep.runs import RunStatus

BEATS_RIVAL = 0.75
"""Share of seed pairs in which a promising config beats its rival."""

RIVAL_P_VALUE = 0.05
"""One-sided, exact. At three seeds each of two equal configs would reach 0.75 one time in five, this one in twenty."""


FAR_BEHIND = 0.25
"""Share of the way from the starting level to the leader's score by which a clearly worse config falls short."""


class VerdictKind(StrEnum):
    """The value is the word people read."""

    NOT_STARTED = "not started"
    FAILED = "failed"
    UNSTABLE = "unstable"
    NOT_IMPROVING = "not improving"
    CLEARLY_WORSE = "clearly worse"
    PROMISING = "promising"
    UNDECIDED = "undecided"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """provisional: it rests on one seed, or on runs that have not ended; reasons: sentences with their figures."""

    kind: VerdictKind
    provisional: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One config before the rules.

    objective: of the scores, which are turned so that higher is better, the starting level too
    start: the starting level of the sweep; None where no run has an episode
    leader, leader_scores: the best config of the sweep, if it is significantly better than this one; else None
    rival, rival_scores: what it is compared with; no scores if there is no other config
    """

    figures: ConfigFigures
    scale: Scale
    objective: Objective
    start: float | None
    scores: tuple[float, ...]
    leader: str | None
    leader_scores: tuple[float, ...]
    rival: str
    rival_scores: tuple[float, ...]

    @property
    def is_dead(self) -> bool:
        """Whether the config never left the starting level, or only by what is too small to matter."""
        if self.start is None or not self.scores:
            return False
        is_reward = self.objective in (Objective.EVALUATION_REWARD, Objective.TRAINING_REWARD)
        return float(np.mean(self.scores)) - self.start <= (self.scale.practical_gain if is_reward else 0.0)


def cases(
    configs: Sequence[ConfigFigures], names: Sequence[str], ranking: Ranking, base: int | None
) -> tuple[Case, ...]:
    """Compare every config with the base config; compare the base config, or all if there is none, with the others."""
    scale = scale_of(configs)
    top = ranking.groups[0] if ranking.groups else ()
    better_higher = [tuple(map(ranking.objective.signed, scores)) for scores in ranking.scores]
    made = []
    for index, figures in enumerate(configs):
        others = [base] if base is not None and base != index else [i for i in range(len(configs)) if i != index]
        is_behind = any(index in group for group in ranking.groups[1:])
        made.append(
            Case(
                figures=figures,
                scale=scale,
                scores=better_higher[index],
                objective=ranking.objective,
                start=None if ranking.start is None else ranking.objective.signed(ranking.start),
                leader=names[top[0]] if is_behind else None,
                leader_scores=better_higher[top[0]] if is_behind else (),
                rival=names[others[0]] if len(others) == 1 else "the other configs",
                rival_scores=tuple(score for other in others for score in better_higher[other]),
            )
        )
    return tuple(made)


def verdict(case: Case) -> Verdict:
    """Apply the rules."""
    matches = ((kind, reasons) for kind, rule in RULES if (reasons := rule(case)))
    kind, reasons = next(matches)
    waiting = [seed for seed in case.figures.seeds if not seed.status.is_finished]
    caveats = [] if kind in (VerdictKind.NOT_STARTED, VerdictKind.FAILED) else _caveats(case.figures.seeds)
    provisional = bool(waiting) or (len(case.figures.counted) == 1 and kind is VerdictKind.NOT_IMPROVING)
    return Verdict(kind=kind, provisional=provisional, reasons=(*reasons, *caveats))


def _not_started(case: Case) -> list[str]:
    seeds = case.figures.seeds
    if not seeds or not all(seed.status is RunStatus.STOPPED and not seed.has_begun for seed in seeds):
        return []
    return ["it was stopped before its first run began"]


def _failed(case: Case) -> list[str]:
    seeds = case.figures.seeds
    crashed = [seed for seed in seeds if seed.status is RunStatus.FAILED]
    empty = [seed for seed in seeds if seed.status is RunStatus.COMPLETED and seed.episodes == 0]
    if 2 * (len(crashed) + len(empty)) <= len(seeds):
        return []
    reasons = [f"{of_seeds(len(crashed), len(seeds))} failed"] if crashed else []
    return reasons + ([f"{of_seeds(len(empty), len(seeds))} ended without a finished episode"] if empty else [])


def _non_finite(case: Case) -> list[str]:
    seeds = case.figures.seeds
    diverged = [seed for seed in seeds if seed.non_finite]
    return [f"a loss or a reward became NaN or infinite in {of_seeds(len(diverged), len(seeds))}"] if diverged else []


def _too_short(case: Case) -> list[str]:
    if not case.figures.counted:
        present = {seed.status for seed in case.figures.seeds}
        if RunStatus.PAUSED in present:
            return ["no whole run yet"]
        return ["no finished episode" if present == {RunStatus.STOPPED} else "no finished episode yet"]
    updates = case.figures.updates
    if updates >= TOO_FEW_UPDATES:
        return []
    return [f"only {plural(updates, 'policy update')}; about {GOOD_UPDATES} are needed"]


def _unstable(case: Case) -> list[str]:
    return instabilities(case.figures, case.scale)


def _not_improving(case: Case) -> list[str]:
    gain, practical = case.figures.gain, case.scale.practical_gain
    if gain is None:
        return []
    high = gain.interval.high if gain.interval is not None else _high_within_run(case.figures.counted)
    if high is None or high > practical:
        return []
    basis = "over seeds" if gain.interval is not None else "from one run"
    return [
        f"no improvement: {signed(gain.mean)} from the first to the last fifth "
        f"(95% upper bound {signed(high)}, {basis}; threshold {signed(practical)})"
    ]


def _high_within_run(seeds: Sequence[SeedFigures]) -> float | None:
    """Upper 95% bound of one run's gain, from its episodes' scatter."""
    (seed,) = seeds
    if seed.gain is None or seed.first is None or seed.last is None:
        return None
    high = seed.gain + float(special.ndtri(0.975)) * float(np.hypot(seed.first.se, seed.last.se))
    return high if np.isfinite(high) else None


def _clearly_worse(case: Case) -> list[str]:
    if case.leader is None or case.start is None or min(len(case.scores), len(case.leader_scores)) < FEWEST_SEEDS:
        return []
    ours, best = float(np.mean(case.scores)), float(np.mean(case.leader_scores))
    way = best - case.start
    if way <= 0 or best - ours <= FAR_BEHIND * way:
        return []
    read, start = case.objective.signed, number(case.objective.signed(case.start))
    return [
        f"significantly worse than {case.leader}: score {number(read(ours))} against {number(read(best))}; "
        f"{percent((best - ours) / way)} of the way there from the starting level of {start} is missing"
    ]


def _promising(case: Case) -> list[str]:
    gain = case.figures.gain
    if gain is None or gain.interval is None or gain.seeds < FEWEST_SEEDS:
        return []
    if gain.interval.low <= 0 or gain.mean <= case.scale.practical_gain or case.leader is not None:
        return []
    learned = _learned(gain)
    if not case.rival_scores:
        return [learned, "no other config to compare it with"]
    beats = dominance(case.scores, case.rival_scores)
    if beats is None or beats.probability < BEATS_RIVAL or beats.p_value > RIVAL_P_VALUE:
        return []
    return [
        learned,
        f"beats {case.rival} in {percent(beats.probability)} of seed pairs",
        "no config is significantly better",
    ]


def _undecided(case: Case) -> list[str]:
    gain, last = case.figures.gain, case.figures.last
    if gain is None or last is None:
        return ["too few episodes to measure a gain"]
    if gain.seeds < FEWEST_SEEDS:
        more = f"a verdict needs at least {plural(FEWEST_SEEDS - gain.seeds, 'more seed')}"
        return [f"training reward changed by {signed(gain.mean)} over {plural(gain.seeds, 'seed')}; {more}"]
    if gain.interval is not None and gain.interval.low <= 0:
        needed = seeds_to_exclude(gain, 0.0)
        return [
            f"the gain of {signed(gain.mean)} is not significant at {gain.seeds} seeds "
            f"(95% from {signed(gain.interval.low)} to {signed(gain.interval.high)}); {_more(gain.seeds, needed)}"
        ]
    return [_learned(gain), _against_rival(case)]


def _learned(gain: Estimate) -> str:
    assert gain.interval is not None
    return (
        f"training reward rose by {signed(gain.mean)} from the first to the last fifth "
        f"(95% from {signed(gain.interval.low)} to {signed(gain.interval.high)}, {gain.seeds} seeds)"
    )


def _against_rival(case: Case) -> str:
    if case.leader is not None:
        return f"significantly worse than {case.leader}"
    ours, theirs = estimate(case.scores), estimate(case.rival_scores)
    if ours is None or theirs is None:
        return f"{case.rival} has no score to compare with"
    beats = dominance(case.scores, case.rival_scores)
    assert beats is not None
    gap = gap_in_sd(ours, theirs)
    if gap is None:
        return f"{case.rival} has only one seed; a comparison needs two"
    standing = f"beats {case.rival} in {percent(beats.probability)} of seed pairs, a gap of {number(gap)} sd"
    return f"{standing}; {_more(len(case.scores), seeds_to_tell_apart(gap))}"


def _more(have: int, needed: int | None) -> str:
    if needed is None:
        return f"more than {MOST_SEEDS} seeds per config are needed to decide; treat it as a tie"
    if needed <= have:
        return "one more seed per config would confirm it"
    return f"about {plural(needed - have, 'more seed')} would decide ({needed} in all)"


def _caveats(seeds: Sequence[SeedFigures]) -> list[str]:
    """Notes on runs that are not complete."""
    waiting = [seed for seed in seeds if not seed.status.is_finished]
    unbegun = [seed for seed in seeds if seed.status is RunStatus.STOPPED and not seed.has_begun]
    stopped = [seed for seed in seeds if seed.status is RunStatus.STOPPED and seed.has_begun]
    failed = [seed for seed in seeds if seed.status is RunStatus.FAILED]
    paused = [seed for seed in seeds if seed.status is RunStatus.PAUSED]
    caveats = []
    if waiting:
        caveats.append(f"{of_seeds(len(waiting), len(seeds))} not finished yet")
    if stopped:
        caveats.append(f"{of_seeds(len(stopped), len(seeds))} stopped before the budget was spent")
    if unbegun:
        caveats.append(f"{of_seeds(len(unbegun), len(seeds))} not started")
    if paused:
        rungs = [seed.rung for seed in paused if seed.rung is not None]
        verb = "waits" if len(paused) == 1 else "wait"
        what = f"{verb} at rung {max(rungs)}, not in the means" if rungs else "paused at the rung and not in the means"
        caveats.append(f"{of_seeds(len(paused), len(seeds))} {what}")
    if failed and len(failed) < len(seeds):
        caveats.append(f"{of_seeds(len(failed), len(seeds))} failed and not in the means")
    return caveats


RULES: tuple[tuple[VerdictKind, Callable[[Case], list[str]]], ...] = (
    (VerdictKind.NOT_STARTED, _not_started),
    (VerdictKind.FAILED, _failed),
    (VerdictKind.UNSTABLE, _non_finite),
    (VerdictKind.UNDECIDED, _too_short),
    (VerdictKind.UNSTABLE, _unstable),
    (VerdictKind.NOT_IMPROVING, _not_improving),
    (VerdictKind.CLEARLY_WORSE, _clearly_worse),
    (VerdictKind.PROMISING, _promising),
    (VerdictKind.UNDECIDED, _undecided),
)
"""The last rule always matches."""
