"""Putting an end on record for runs whose process was killed."""

from contextlib import suppress

from rlsweep.errors import StoreUnavailableError
from rlsweep.store import sweeps, transitions
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep, SweepStatus


def settle_abandoned(database: Database, sweep: Sweep) -> tuple[Sweep, int]:
    """End the sweep's runs whose process was killed; the sweep as it is then, and how many runs these were."""
    abandoned = transitions.end_abandoned(database, sweep_id=sweep.id)
    # Its driver may have been killed between its last run's end and its own. One that lives, or that it waits for, has
    # perhaps yet to take its runs up.
    is_left = sweep.status is SweepStatus.RUNNING and (
        sweep.driver is None or sweeps.lost_driver(database, sweep.id) is not None
    )
    settled = sweeps.settle(database, sweep.id) if abandoned or is_left else sweep
    return settled, len(abandoned)


def settle_all_abandoned(database: Database) -> int:
    """As `settle_abandoned`, of all sweeps and of runs that belong to none; how many runs these were.

    A database that may only be read stays as it is.
    """
    with suppress(StoreUnavailableError):
        abandoned = transitions.end_abandoned(database)
        for sweep_id in {run.sweep_id for run in abandoned if run.sweep_id is not None}:
            sweeps.settle(database, sweep_id)
        return len(abandoned)
    return 0
