"""Following a sweep that another process drives, by its record."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from rlsweep.errors import RlsweepError, after_start
from rlsweep.places.driver_checks import DriverCheck
from rlsweep.places.interrupts import on_interrupt
from rlsweep.places.observer import ProgressObserver
from rlsweep.places.outcome import Ending, SweepOutcome, conclude
from rlsweep.process_identity import describe_process
from rlsweep.store import sweeps
from rlsweep.store.database import Database
from rlsweep.store.overview import overview
from rlsweep.store.retry import retry_while_away
from rlsweep.sweep_records import Sweep

FOLLOW_SECONDS = 0.5
"""Between two looks at the record."""

AWAY_SECONDS = 600.0
"""How long the database may be away before the sweep is followed no more; the sweep itself goes on waiting."""

STOPPING = "Stopping: trials end at their next step and keep what they recorded. Press Ctrl-C again to leave the sweep."


@dataclass(frozen=True, kw_only=True, slots=True)
class Followed:
    """A sweep as it stood when following ended.

    lost_driver: its driver, where that gives no sign of life any more; None where the sweep is finished
    """

    sweep: Sweep
    lost_driver: str | None


@after_start()
def follow(
    database: Database,
    sweep: Sweep,
    observer: ProgressObserver,
    check: DriverCheck,
    *,
    before_look: Callable[[], None] = lambda: None,
) -> Followed:
    """Show how far the sweep has come until it is finished, or its driver is lost.

    check: called while the sweep has no driver; before_look: called before each look at the record
    Raises what `check` raises, and StoreUnavailableError where the database is away for long.
    """
    with observer.live_progress() as show:
        while True:
            before_look()
            found = retry_while_away(lambda: sweeps.get(database, sweep.id), seconds=AWAY_SECONDS)
            show(retry_while_away(lambda: overview(database, sweep.id), seconds=AWAY_SECONDS))
            if found.status.is_finished:
                return Followed(sweep=found, lost_driver=None)
            lost = retry_while_away(lambda: sweeps.lost_driver(database, sweep.id), seconds=AWAY_SECONDS)
            if lost is not None:
                return Followed(sweep=found, lost_driver=lost)
            if found.driver is None:
                check()
            time.sleep(FOLLOW_SECONDS)


def follow_to_end(
    database: Database,
    sweep: Sweep,
    observer: ProgressObserver,
    check: DriverCheck,
    *,
    before_look: Callable[[], None] = lambda: None,
) -> Sweep:
    """As `follow`; the sweep as it ended. Raises RlsweepError where its driver is lost."""
    followed = follow(database, sweep, observer, check, before_look=before_look)
    if followed.lost_driver is not None:
        raise RlsweepError(
            f"The driver {describe_process(followed.lost_driver)} of sweep {sweep.name} gives no sign of life. "
            f"Continue it: rlsweep resume {sweep.name}"
        )
    return followed.sweep


def follow_own(database: Database, sweep: Sweep, observer: ProgressObserver, check: DriverCheck) -> SweepOutcome:
    """Follow a sweep that was handed over as if this process drove it.

    A first signal stops the sweep, a second one leaves it.
    """

    def stop() -> None:
        sweeps.request_stop(database, sweep.id)
        sweeps.settle(database, sweep.id)  # where its driver has yet to begin, there is nothing to end

    is_passed_on = False

    def pass_on() -> None:
        nonlocal is_passed_on
        if interrupted.is_set() and not is_passed_on:
            is_passed_on = True
            observer.message(STOPPING)
            retry_while_away(stop, seconds=AWAY_SECONDS)

    # The signal may come while a look waits for the database: it is passed on before the next look.
    with on_interrupt(lambda: None) as interrupted:
        ended = follow_to_end(database, sweep, observer, check, before_look=pass_on)
    return conclude(database, ended, Ending.INTERRUPTED if interrupted.is_set() else Ending.FINISHED)
