"""Following a sweep that another process drives, and reading its driver's log."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rlsweep.api.opening import database_of
from rlsweep.errors import NotFoundError, after_start, before_start
from rlsweep.paths import Paths
from rlsweep.places.observer import SweepObserver
from rlsweep.places.outcome import Ending, SweepOutcome, conclude
from rlsweep.settings import Settings
from rlsweep.sweep_records import Sweep

if TYPE_CHECKING:
    from rlsweep.store.database import Database

LOG_SECONDS = 0.5
"""Between two looks at a log that grows."""


def attach(reference: str, *, settings: Settings, observer: SweepObserver) -> SweepOutcome:
    """Follow a sweep that runs elsewhere to its end. KeyboardInterrupt, which passes through, leaves it running.

    Raises NotFoundError, and RlsweepError where nobody drives the sweep any more.
    """
    from rlsweep.api.references import find_sweep
    from rlsweep.places.driver_checks import driver_check
    from rlsweep.places.following import follow_to_end

    database = database_of(settings)
    found = find_sweep(database, reference)
    check = driver_check(found, settings, observer)
    try:
        ended = follow_to_end(database, found, observer, check)
    except KeyboardInterrupt:
        observer.message(f"Sweep {found.name} goes on. Stop it: rlsweep stop {found.name}")
        raise
    with after_start():
        outcome = conclude(database, ended, Ending.FINISHED)
    observer.ended(outcome)
    return outcome


def read_log(reference: str, *, follow: bool = False, address: str | None = None, settings: Settings) -> Iterator[str]:
    """The log of a sweep's driver, in the service or on a cluster, in pieces.

    follow: go on as more is written, until the driver ends
    address: of the cluster; None takes what the sweep's record says
    Raises NotFoundError where no log was kept, ClusterUnavailableError.
    """
    from rlsweep.api.references import find_sweep

    database = database_of(settings)
    found = find_sweep(database, reference)
    file = Paths(settings).sweep_log(found.id)
    where = address or found.address
    if where is not None:
        yield from _job_log(found, where, follow=follow)
    elif file.exists():
        yield from _service_log(database, found, file, follow=follow)
    else:
        raise NotFoundError(
            f"No log was kept of sweep {found.name}: its driver wrote to the terminal that it was started in. "
            f"Errors of its trials are on record: rlsweep status {found.name}"
        )


def _job_log(sweep: Sweep, address: str, *, follow: bool) -> Iterator[str]:
    from rlsweep.cluster.address import jobs_url
    from rlsweep.places.jobs import JobsCluster

    with before_start():
        cluster = JobsCluster(jobs_url(address))
        log = "" if follow else cluster.log(sweep.id)
    if follow:
        yield from cluster.follow_log(sweep.id)
    else:
        yield log


def _service_log(database: "Database", sweep: Sweep, path: Path, *, follow: bool) -> Iterator[str]:
    from rlsweep.store import sweeps

    with after_start(), path.open() as file:
        while True:
            over = sweeps.get(database, sweep.id).driver is None or sweeps.lost_driver(database, sweep.id) is not None
            yield file.read()
            if over or not follow:
                return
            time.sleep(LOG_SECONDS)
