"""Whether somebody drives a sweep that has no driver (yet): a job of a cluster, or the service."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rlsweep.errors import ClusterUnavailableError, RlsweepError
from rlsweep.paths import Paths
from rlsweep.places.observer import ProgressObserver
from rlsweep.places.service import find_service, is_up, sweeps_driven_by
from rlsweep.settings import Settings
from rlsweep.sweep_records import Sweep

if TYPE_CHECKING:
    from rlsweep.places.jobs import JobsCluster

CHECK_SECONDS = 3.0
"""Between two checks."""

MAX_FAILED_POLLS = 20
"""Polls of jobs, one after the other, before a cluster out of reach is given up."""

LAST_LINES = 15
"""Of a driver's log, where it ended badly."""

DriverCheck = Callable[[], None]
"""Raises RlsweepError where nobody drives the sweep, or will; it may be called often."""


def driver_check(sweep: Sweep, settings: Settings, observer: ProgressObserver) -> DriverCheck:
    """Make the check of a sweep by what its record says of its place."""
    if sweep.address is None:
        return service_check(Paths(settings), sweep)
    from rlsweep.places.jobs import JobsCluster

    try:
        return job_check(JobsCluster(sweep.address), sweep)
    except ClusterUnavailableError as error:
        observer.message(f"Only the record is followed. {error}")
        return lambda: None


def job_check(cluster: "JobsCluster", sweep: Sweep) -> DriverCheck:
    """Check that the cluster's job of the sweep is still there."""
    failed_polls, is_missing = 0, False

    def check() -> None:
        nonlocal failed_polls, is_missing
        was_missing = is_missing
        try:
            job = cluster.job_of(sweep.id)
        except ClusterUnavailableError:
            failed_polls += 1
            if failed_polls == MAX_FAILED_POLLS:
                raise
            return  # a tunnel that is down: the record is followed meanwhile
        failed_polls, is_missing = 0, job is None
        if job is None and was_missing:
            raise RlsweepError(
                f"The cluster at {cluster.url} knows no job of sweep {sweep.name}, and nobody drives it. "
                f"Continue it: rlsweep resume {sweep.name}"
            )
        if job is not None and job.is_over:
            raise _ended_early(f"The cluster's driver of sweep {sweep.name} ended ({job.state})", cluster.log(sweep.id))

    return throttled(check)


def service_check(paths: Paths, sweep: Sweep) -> DriverCheck:
    """Check that the service is up, and drives the sweep."""
    is_idle = False

    def check_driven() -> None:
        nonlocal is_idle
        was_idle = is_idle
        card = find_service(paths.service)
        is_idle = card is not None and sweep.id not in sweeps_driven_by(card)
        if is_idle and was_idle:  # at the first check its driver may just have ended
            log = paths.sweep_log(sweep.id)
            text = log.read_text(errors="replace") if log.exists() else "(its log is missing)"
            raise _ended_early(f"The service's driver of sweep {sweep.name} ended", text)

    check_sometimes = throttled(check_driven)

    def check() -> None:
        if not is_up(paths.service):
            raise RlsweepError(
                f"Nobody drives sweep {sweep.name}: the service is not up. Continue it: rlsweep resume {sweep.name}"
            )
        check_sometimes()

    return check


def throttled(check: DriverCheck) -> DriverCheck:
    """Make the same check at most once every CHECK_SECONDS, however often it is called."""
    checked = 0.0

    def check_sometimes() -> None:
        nonlocal checked
        if time.monotonic() - checked >= CHECK_SECONDS:
            checked = time.monotonic()
            check()

    return check_sometimes


def _ended_early(what: str, log: str) -> RlsweepError:
    lines = log.strip().splitlines()[-LAST_LINES:]
    return RlsweepError("\n".join((f"{what} before its trials did. The end of its log:", *lines)))
