"""Driving a sweep in this process, on the Ray that it has joined."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlsweep.cluster.resources import Resources
from rlsweep.driver.selection import RunSelection
from rlsweep.errors import RlsweepError, StoreUnavailableError
from rlsweep.places.interrupts import on_interrupt
from rlsweep.places.observer import ProgressObserver
from rlsweep.places.outcome import Ending, SweepOutcome, conclude
from rlsweep.settings import Settings
from rlsweep.sweep_records import Sweep

if TYPE_CHECKING:
    from rlsweep.driver.driver import Driver
    from rlsweep.store.database import Database

STOPPING = "Stopping: trials end at their next step and keep what they recorded. Press Ctrl-C again to end at once."


def make_driver(
    database: "Database",
    sweep: Sweep,
    selection: RunSelection,
    *,
    resources: Resources,
    slots: int,
    settings: Settings,
    metadata: dict[str, Any],
    grace: float,
    folder: Path,
    code_folder: Path | None = None,
    has_workers: Callable[[], bool] = lambda: True,
) -> "Driver":
    """Make a driver of the selection for the Ray that this process has joined.

    folder: where the user typed the command; trials run there if it exists on their node
    code_folder: where the user works, if that is elsewhere; environments may be imported from it
    has_workers: whether trials may begin; the driver prepares all else before
    """
    from rlsweep.attempts.execution import WorkerContext
    from rlsweep.driver.driver import Driver

    context = WorkerContext(
        database_url=database.url,
        settings=settings,
        threads=resources.threads,
        metadata=metadata,
        folder=folder,
        code_folder=code_folder,
        patience_seconds=math.inf,  # a trial waits for the database as long as its sweep does
        slots=slots,
    )
    return Driver(
        database,
        sweep,
        context,
        resources,
        selection=selection,
        slots=slots,
        grace_seconds=grace,
        has_workers=has_workers,
    )


def run_driver(driver: "Driver", database: "Database", observer: ProgressObserver) -> SweepOutcome:
    """Run a driver to its end; a first signal stops its trials, a second one ends it at once."""

    def stop() -> None:
        driver.request_stop()
        observer.message(STOPPING)

    with observer.live_progress() as show, on_interrupt(stop) as interrupted:
        try:
            sweep = driver.run(show)
        except StoreUnavailableError as error:
            raise RlsweepError(f"The sweep ended before its trials did. {error}") from error
    return conclude(database, sweep, Ending.INTERRUPTED if interrupted.is_set() else Ending.FINISHED)
