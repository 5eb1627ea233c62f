"""What the service and a cluster have in common: the sweep is handed over, and followed or left."""

from collections.abc import Iterator
from contextlib import contextmanager

from rlsweep.errors import RlsweepError
from rlsweep.places.driver_checks import DriverCheck
from rlsweep.places.following import follow_own
from rlsweep.places.observer import ProgressObserver
from rlsweep.places.outcome import Ending, SweepOutcome, conclude
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep


@contextmanager
def stays_pending(sweep: Sweep) -> Iterator[None]:
    """A failed hand-over leaves the sweep pending: add to the error how to continue it."""
    try:
        yield
    except RlsweepError as error:
        raise RlsweepError(f"{error} Sweep {sweep.name} is on record: rlsweep resume {sweep.name}") from error


def leave_or_follow(
    database: Database, sweep: Sweep, observer: ProgressObserver, check: DriverCheck, *, driven_by: str, detach: bool
) -> SweepOutcome:
    """Follow a sweep that was handed over to its end, or leave it there.

    driven_by: the service, or a cluster's address
    """
    name = sweep.name
    observer.message(
        f"\nSweep {name} is driven by {driven_by}. From another terminal: rlsweep attach|status|logs|stop {name}"
    )
    if detach:
        return conclude(database, sweep, Ending.LEFT_RUNNING)
    return follow_own(database, sweep, observer, check)
