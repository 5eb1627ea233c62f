"""What population-based training is decided from, and what a decision says. All values go into JSON.

An interval is a number of env steps after which every member pauses; intervals are numbered 1, 2, … from the start of
training. Scores are such that higher is better.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

SHARE = 0.25
"""Share of the compared members that become copies, and of those that are copied, unless settings say otherwise."""

RESAMPLED = 0.25
"""Probability that a key is drawn anew instead of perturbed."""

FEWEST_MEMBERS = 4
"""Of a population: below 1 / SHARE members no quarter has one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PbtSettings:
    """What the user asks for, and the constants of the rule.

    population: number of members
    interval: env steps between two decisions about a member
    intervals: at how many intervals a member is decided about; at the end of the budget it is not
    share: share of the compared members that become copies, and of those that are copied
    resampled: probability that a key is drawn anew instead of perturbed
    seed: of all draws
    """

    population: int
    interval: int
    intervals: int
    share: float = SHARE
    resampled: float = RESAMPLED
    seed: int = 0

    def pause_after(self, interval: int, total_timesteps: int) -> float | None:
        """The share of the budget at which a member pauses next after this interval; None for its end."""
        return None if interval >= self.intervals else (interval + 1) * self.interval / total_timesteps

    def to_json(self) -> dict[str, Any]:
        """For the record."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "PbtSettings":
        """Read back what `to_json` gave."""
        return cls(**data)


class Stage(StrEnum):
    """What a member does.

    training: it trains, or waits for a slot to train
    waiting: it is paused at an interval and not decided about
    failed: its run failed, and nobody trains it
    ended: its budget is spent
    """

    TRAINING = "training"
    WAITING = "waiting"
    FAILED = "failed"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """A member at an interval.

    score: over the time since the interval before; None where it has none
    can_be_copied: its checkpoint there is on record, and it did not become a copy there
    """

    interval: int
    score: float | None
    can_be_copied: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One run of the population.

    number: 1, 2, … in the order of the plan
    interval: the number of the interval at which it waits, or to which it trained last; `PbtSettings.intervals` + 1 on
        the way to the end of the budget
    reached: the intervals to which it trained, in order; a failed member that became a copy skipped one
    """

    number: int
    stage: Stage
    interval: int
    reached: tuple[Reached, ...] = ()

    def at(self, interval: int) -> Reached | None:
        """The member at this interval; None if it did not train to it."""
        return next((each for each in self.reached if each.interval == interval), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class PbtRecord:
    """All that a decision is made from."""

    members: tuple[Member, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What a member does from an interval on.

    source: number of the member whose copy it becomes; None if it goes on as it is
    seed: of the draws that change the copied config
    """

    member: int
    interval: int
    source: int | None
    seed: int


class PbtStop(StrEnum):
    """Why the training of a population ends.

    done: a member has spent its budget, and every other one has too, or has failed for good
    failed: every member has failed for good
    """

    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class PbtDecision:
    """steps: what to start now, the members at the lowest interval first; none and no stop: wait for what trains.

    stop: why it ends; None while it goes on
    """

    steps: tuple[Step, ...]
    stop: PbtStop | None
