"""The interface of a place where sweeps are driven: open it, wait until it is ready, run a sweep there."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rlsweep.attempts.provenance import Provenance
from rlsweep.cluster.resources import Resources
from rlsweep.driver.selection import RunSelection
from rlsweep.errors import after_start, before_start
from rlsweep.places.observer import SweepObserver
from rlsweep.places.outcome import SweepOutcome
from rlsweep.sweep_records import Sweep

if TYPE_CHECKING:  # the database's library is imported while a place gets ready
    from rlsweep.store.database import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """A selection of the runs of a sweep that is on record, and what its driver must know."""

    sweep: Sweep
    selection: RunSelection
    resources: Resources
    provenance: Provenance


class SweepRunner(ABC):
    """A place that is ready."""

    def __init__(self, database: "Database", observer: SweepObserver, *, address: str | None = None) -> None:
        """address: of the Jobs API, if that is how the place is reached, for the sweep's record."""
        self._database = database
        self._observer = observer
        self._address = address

    @after_start()
    def run(self, task: Task) -> SweepOutcome:
        """Run the selection of the sweep to its end, or hand it over; the observer is told how it ended.

        Raises DriverBusyError where somebody drives the sweep.
        """
        from rlsweep.store import sweeps

        assigned = sweeps.assign(
            self._database, task.sweep.id, resources=task.resources.to_record(), address=self._address
        )
        outcome = self._run(replace(task, sweep=assigned))
        self._observer.ended(outcome)
        return outcome

    @abstractmethod
    def _run(self, task: Task) -> SweepOutcome:
        """As `run`, of a sweep whose record says where it is driven."""


class OpenPlace(ABC):
    """A place that gets ready, perhaps in the background."""

    @before_start()
    def ready(self, database: "Database", observer: SweepObserver) -> SweepRunner:
        """Wait until it is ready. Raises InputError where sweeps with such trials cannot run there."""
        return self._ready(database, observer)

    @abstractmethod
    def _ready(self, database: "Database", observer: SweepObserver) -> SweepRunner:
        """As `ready`."""


class Place(ABC):
    """Somewhere to drive a sweep; the sweep is put on record once the place is ready."""

    @abstractmethod
    def open(self, resources: Resources, trials: int) -> AbstractContextManager[OpenPlace]:
        """Begin to get ready for so many trials; the end of the context ends what was begun."""
