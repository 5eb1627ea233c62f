"""What decides which runs of a sweep are trained, where something does."""

from collections.abc import Callable
from uuid import UUID

from rlsweep.driver.asha import AshaRule
from rlsweep.driver.decided_runs import Rule
from rlsweep.driver.pbt import PbtRule
from rlsweep.driver.race import RaceRule
from rlsweep.race_records import Race
from rlsweep.scheduler_records import Scheduler, SchedulerKind
from rlsweep.store import races, schedulers
from rlsweep.store.database import Database

_OF_SCHEDULER: dict[SchedulerKind, Callable[[Database, Scheduler], Rule]] = {
    SchedulerKind.ASHA: AshaRule,
    SchedulerKind.PBT: PbtRule,
}


def undecided(database: Database, sweep_id: UUID) -> Race | Scheduler | None:
    """The sweep's race or scheduler while it goes on; None where runs are trained as planned, or all is decided."""
    found = races.find(database, sweep_id) or schedulers.find(database, sweep_id)
    return None if found is None or found.stop is not None else found


def rule_of(database: Database, decider: Race | Scheduler) -> Rule:
    """How it decides."""
    if isinstance(decider, Race):
        return RaceRule(database, decider)
    return _OF_SCHEDULER[decider.kind](database, decider)
