"""The records of sweeps with a scheduler, which says which runs train on from a pause: its settings and decisions."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class SchedulerKind(StrEnum):
    """Which scheduler; the value is its name in flags and on record."""

    ASHA = "asha"
    PBT = "pbt"


@dataclass(frozen=True, kw_only=True, slots=True)
class SchedulerTerms:
    """What a scheduler was asked for.

    objective: name of what is scored, as `analysis.objectives.Objective` has it
    settings: as JSON values, such as the rungs of ASHA; `rlsweep.schedulers` has their records
    """

    kind: SchedulerKind
    objective: str
    settings: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scheduler(SchedulerTerms):
    """The scheduler of a sweep on record; stop: why it begins nothing any more, None while it goes on."""

    sweep_id: UUID
    stop: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SchedulerDecision:
    """One decision of a scheduler, as JSON values of its records in `rlsweep.schedulers`.

    number: 1, 2, … within its sweep
    free: slots that it was asked to fill
    record: what it was made from, beside the settings and earlier records
    decision: what came out
    """

    number: int
    made_at: datetime
    free: int
    record: dict[str, Any]
    decision: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class RungCount:
    """Runs at one rung of ASHA.

    share: of the budget; sent: runs that have ever trained to it; reached: those that have come there
    """

    share: float
    sent: int
    reached: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AshaStanding:
    """How far a sweep with ASHA has come.

    rungs: from the lowest; reduction: 1 / the share that goes on; runs: of the whole sweep
    is_over: whether nothing is begun any more
    """

    rungs: tuple[RungCount, ...]
    reduction: int
    runs: int
    is_over: bool
