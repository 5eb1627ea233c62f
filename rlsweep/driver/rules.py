"""What decides which runs of a sweep are trained, where something does."""

from uuid import UUID

from rlsweep.driver.decided_runs import Rule
from rlsweep.race_records import Race
from rlsweep.scheduler_records import Scheduler, SchedulerKind
from rlsweep.store import races, schedulers
from rlsweep.store.database import Database


def undecided(database: Database, sweep_id: UUID) -> Race | Scheduler | None:
    """The sweep's race or scheduler while it goes on; None where runs are trained as planned, or all is decided."""
    found = races.find(database, sweep_id) or schedulers.find(database, sweep_id)
    return None if found is None or found.stop is not None else found


def rule_of(database: Database, decider: Race | Scheduler) -> Rule:
    """How it decides. What it decides with is imported here: most sweeps need none of it."""
    if isinstance(decider, Race):
        from rlsweep.driver.race import RaceRule

        return RaceRule(database, decider)
    match decider.kind:
        case SchedulerKind.ASHA:
            from rlsweep.driver.asha import AshaRule

            return AshaRule(database, decider)
        case SchedulerKind.PBT:
            from rlsweep.driver.pbt import PbtRule

            return PbtRule(database, decider)
