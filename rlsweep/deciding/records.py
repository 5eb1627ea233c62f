"""What a race is decided from, and what a decision says. All values go into JSON and come back the same.

Scores are such that higher is better. Costs are env steps, those of score evaluations included.
"""

from dataclasses import dataclass
from enum import StrEnum

from rlsweep.race_records import Statistic


@dataclass(frozen=True, kw_only=True, slots=True)
class Tolerance:
    """A difference of scores that does not matter.

    value: positive; in units of the score, or with `is_share` a share of the way from the starting level to the best
        config's mean score
    """

    value: float
    is_share: bool


DEFAULT_TOLERANCE = Tolerance(value=0.1, is_share=True)
"""Of a race, unless the user gives one, and of a sweep that is no race."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RaceSettings:
    """What the user asks for, what runs cost as planned, and the constants of the rule.

    statistic: mean or median of a config's seeds, which is to be estimated
    confidence: the race stops once the risk is at most 1 - confidence
    cap: env steps that the whole race may cost
    configs: that the race is to have: those that the record lacks are drawn while it runs; 0 where none are
    is_out_of_time: the time that was asked for is over: nothing is begun any more
    run_cost: env steps of one whole run with its score evaluations
    rung_cost: env steps of them that a run has cost once it waits at the rung
    rung: share of a run's budget at which it pauses; 1 where runs do not pause
    keep, fewest_kept: share and least number of the configs whose first run goes on from the rung to its end
    second_seeds: of how many configs, the best finished ones, a second seed is trained before anything else is weighed
    fewest_seeds: what a config needs to be taken, unless the cap comes first
    prior_freedom: degrees of freedom of the pooled seed variance, as it moderates the variance of each config
    floor: least standard deviation over seeds that is believed, in tolerances
    caution: computed risk / stated risk; seeds have heavier tails than Student's t
    """

    tolerance: Tolerance
    statistic: Statistic = Statistic.MEAN
    confidence: float = 0.95
    cap: float
    configs: int = 0
    is_out_of_time: bool = False
    run_cost: float
    rung_cost: float
    rung: float = 0.5
    keep: float = 0.6
    fewest_kept: int = 4
    second_seeds: int = 3
    fewest_seeds: int = 3
    prior_freedom: float = 4.0
    floor: float = 0.5
    caution: float = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class SeedScores:
    """The scores of one run; None: not reached yet."""

    rung: float | None
    full: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class InFlight:
    """A run that trains now or waits for a slot.

    seed: its place among the seeds of the race: 0, 1, 2 …
    to_end: it trains to the end of its budget; else to the rung
    """

    config: int
    seed: int
    to_end: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RaceRecord:
    """All that a decision is made from.

    scores: by config, then by seed; an attempt that failed for good comes with the starting level as its scores
    in_flight: the runs whose moves were chosen and are not finished
    start: the starting level: the score of a policy that has learned nothing
    spent: env steps that were paid for: `run_cost` for each full score, `rung_cost` for each score at the rung alone,
        or what was really trained. What runs in flight still cost comes on top: the rest of the run where there is a
        score at the rung, else the whole run or the way to the rung
    """

    scores: tuple[tuple[SeedScores, ...], ...]
    in_flight: tuple[InFlight, ...] = ()
    start: float
    spent: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """A run to train: a new one, or the rest of one that waits at the rung.

    config: its place in the record; behind the last one, it is a config to draw
    to_end: to the end of its budget; else to the rung, where it pauses
    cost: env steps
    worth: risk that it removes by expectation, per `run_cost` env steps; infinite where the opening or the fewest seeds
        of the leader demand it
    """

    config: int
    seed: int
    to_end: bool
    cost: float
    worth: float


class Stop(StrEnum):
    """Why a race ends."""

    SAFE = "safe"
    CAP = "cap"
    TIME = "time"
    NOTHING_LEFT = "nothing left"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What a record shows, and what to do now.

    belief_mean, belief_sd: of each config's expected score; empty until a run has finished
    leader: the config to take as things stand; None until a run has finished
    risk: upper bound of the probability that a config is better than the leader by more than the tolerance
    promise: the tolerance at which the risk would be 1 - confidence now, in units of the score; none finer than asked
    tolerance: the tolerance asked for, in units of the score; None while no run has finished, where it is a share
    contenders: configs whose equality with the leader is not excluded, likeliest first
    may_claim: no caveat (caveats.py) forbids to claim the risk and the promise
    is_winner: there are no contenders, and it may be claimed
    moves: what to start now, best first; none and no stop: wait for what is in flight
    stop: why the race ends; None while it goes on. Nothing is in flight then
    """

    belief_mean: tuple[float, ...]
    belief_sd: tuple[float, ...]
    leader: int | None
    risk: float | None
    promise: float | None
    tolerance: float | None
    contenders: tuple[int, ...]
    may_claim: bool
    is_winner: bool
    moves: tuple[Move, ...]
    stop: Stop | None
