"""How driving or following a sweep ended."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from rlsweep.sweep_records import Sweep

if TYPE_CHECKING:
    from rlsweep.reports.summary import SweepReport
    from rlsweep.store.database import Database


class Ending(Enum):
    """Why a sweep is driven or followed no longer."""

    FINISHED = auto()
    """None of its runs is pending or running."""
    INTERRUPTED = auto()
    """The user asked it to stop; its trials stopped and keep what they recorded."""
    LEFT_RUNNING = auto()
    """It was handed over, and goes on in the service or on a cluster."""
    NOTHING_TO_RUN = auto()
    """None of its runs was in a status that was asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepOutcome:
    """A sweep as it stands on record now.

    report: what its runs show; None where it was left running
    """

    sweep: Sweep
    ending: Ending
    report: "SweepReport | None"


def conclude(database: "Database", sweep: Sweep, ending: Ending) -> SweepOutcome:
    """Make the outcome of a sweep that is left running, or else with a report of its runs."""
    if ending is Ending.LEFT_RUNNING:
        return SweepOutcome(sweep=sweep, ending=ending, report=None)
    from rlsweep.reports.summary import summarise

    return SweepOutcome(sweep=sweep, ending=ending, report=summarise(database, sweep))
