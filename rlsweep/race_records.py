"""The records of races: what a race was asked for, and its decisions."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

SEEDS_OF_GRID = 5
"""Seeds of each config in the full grid, with which a race is compared and of whose env steps a cap is a share."""

SEEDS_TO_CONFIRM = 5
"""Held-out seeds of each config that a choice is checked on, unless the user gives a number."""


class Statistic(StrEnum):
    """How the scores of a config's seeds become one score."""

    MEAN = "mean"
    MEDIAN = "median"


@dataclass(frozen=True, kw_only=True, slots=True)
class RaceTerms:
    """What a race was asked for.

    objective: name of what is scored, as `analysis.scores.Objective` has it
    statistic: over the seeds of a config
    tolerance: a difference that does not matter: in units of the objective, or, with `tolerance_is_share`, as a share
        of the way from the starting level to the best config
    confidence: 0.5 to 1: the race stops when the risk of a wrong choice is at most 1 - confidence
    cap: most env steps, as a share of those of every config with five seeds, evaluations included
    max_hours: longest time of one drive, in hours; None for any
    rung: share of a run's budget at which first seeds pause
    score_episodes: episodes of each score evaluation; None if runs have none
    planned_run_steps, planned_rung_steps: env steps of a whole run and of one up to the rung, evaluations included, as
        planned; the race uses what runs took as soon as one has ended
    configs: how many it is to have, those included that it draws while it runs; None where it draws none
    """

    objective: str
    statistic: Statistic
    tolerance: float
    tolerance_is_share: bool
    confidence: float
    cap: float
    max_hours: float | None
    rung: float
    score_episodes: int | None
    planned_run_steps: float
    planned_rung_steps: float
    configs: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Race(RaceTerms):
    """A race on record; stop: why it ended, None while it is undecided."""

    sweep_id: UUID
    stop: str | None

    @property
    def larger_cap(self) -> float:
        """A cap with which it may go on: every config with five seeds, or twice as much as now."""
        return 1.0 if self.cap < 1 else 2 * self.cap


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionRecord:
    """One decision, as JSON values of the records in `rlsweep.deciding`.

    number: 1, 2, … within its race
    settings, record: what it was made from; `record` also names the runs
    free: slots that it was asked to fill
    decision: what came out
    """

    number: int
    made_at: datetime
    free: int
    settings: dict[str, Any]
    record: dict[str, Any]
    decision: dict[str, Any]
