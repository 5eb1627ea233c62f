"""Waiting for a driver elsewhere that may have ended."""

import time

from rlsweep.places.observer import ProgressObserver
from rlsweep.process_identity import describe_process, is_here
from rlsweep.store import sweeps
from rlsweep.store.database import Database
from rlsweep.store.liveness import LEASE_PATIENCE_SECONDS
from rlsweep.sweep_records import Sweep

LOOK_SECONDS = 0.5
"""Between two looks at the record."""


def wait_until_undriven(database: Database, sweep: Sweep, observer: ProgressObserver) -> None:
    """Return once the sweep has no live driver.

    A driver on another host is waited for until its heartbeat is old, because only that tells whether it has ended.
    Raises DriverBusyError as soon as it writes another one, and at once for a driver that runs on this host.
    """
    first = sweeps.live_driver(database, sweep.id)
    if first is not None and not is_here(first.driver):
        observer.message(
            f"Sweep {sweep.name} was driven by {describe_process(first.driver)} {first.silent_seconds:.0f} s ago. "
            f"Waiting {LEASE_PATIENCE_SECONDS - first.silent_seconds:.0f} s to see whether it has ended."
        )
        last = first
        while (now := sweeps.live_driver(database, sweep.id)) is not None:
            if now.driver != last.driver or now.silent_seconds < last.silent_seconds:
                break
            last = now
            time.sleep(LOOK_SECONDS)
    sweeps.check_undriven(database, sweep.id)
