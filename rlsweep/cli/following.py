"""Watching a sweep that another process drives: `rlsweep attach`, `rlsweep logs`, and `submit` where it hands over."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rlsweep.cli import call, options
from rlsweep.cli.driving import STOPPING, conclude
from rlsweep.cli.output import console
from rlsweep.cli.progress import LiveProgress
from rlsweep.cli.references import find_sweep
from rlsweep.cli.signals import on_interrupt
from rlsweep.errors import ClusterUnavailableError, NotFoundError, RlsweepError, after_start, before_start
from rlsweep.paths import Paths
from rlsweep.runs import Sweep
from rlsweep.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from rlsweep.places.jobs import JobsCluster
    from rlsweep.store.database import Database

FOLLOW_SECONDS = 0.5
"""Between two looks at the record."""

LOOK_SECONDS = 3.0
"""Between two looks at a job."""

MAX_FAILED_POLLS = 20
"""At jobs, one after the other, before a cluster out of reach is given up."""

AWAY_SECONDS = 600.0
"""How long the record may be away before it is followed no more; the sweep itself waits on."""

LAST_LINES = 15
"""Of a driver's log, where it ended badly."""


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    for command in (attach, logs):
        app.command()(command)


def attach(
    sweep: options.SweepReference = "latest",
    json: options.Json = False,
) -> None:
    """Follow a sweep that runs elsewhere to its end; Ctrl-C leaves it running."""
    from rlsweep.store.opening import open_database

    settings = call.settings()
    out = console(stderr=json)
    with open_database(settings) as database:
        found = find_sweep(database, sweep)
        try:
            ended = watch_to_end(database, found, out, look=driver_check(found, settings, out))
        except KeyboardInterrupt:
            out.print(f"Left. Sweep {found.name} goes on; end it: rlsweep stop {found.name}", markup=False)
            raise
        with after_start():
            code = conclude(database, ended, out, json=json)
    if code:
        raise typer.Exit(code)


def follow(database: "Database", sweep: Sweep, out: "Console", *, look: Callable[[], None], json: bool) -> int:
    """Follow a sweep that was handed over as if this process drove it: Ctrl-C stops it, once more only leaves it.

    look: raises RlsweepError where whoever drives it is gone; asked now and then
    Returns the command's exit code.
    """
    from rlsweep.store import sweeps
    from rlsweep.store.retry import retry_while_away

    def stop() -> None:
        sweeps.request_stop(database, sweep.id)
        sweeps.settle(database, sweep.id)  # where its driver has yet to begin, there is nothing to end

    is_told = False

    def pass_on() -> None:
        nonlocal is_told
        if interrupted.is_set() and not is_told:
            is_told = True
            out.print(STOPPING.replace("ends at once", "leaves it to itself"))
            retry_while_away(stop, seconds=AWAY_SECONDS)

    # The signal itself may come in midst of a look at a database that is away.
    with on_interrupt(lambda: None) as interrupted:
        ended = watch_to_end(database, sweep, out, look=look, before=pass_on)
    return conclude(database, ended, out, interrupted=interrupted.is_set(), json=json)


@after_start()
def watch_to_end(
    database: "Database",
    sweep: Sweep,
    out: "Console",
    *,
    look: Callable[[], None],
    before: Callable[[], None] = lambda: None,
) -> Sweep:
    """Show how far it has come until it is finished; the sweep as it ended.

    before: called before each look at the record
    Raises RlsweepError where its driver gives no sign of life any more, and what `look` raises.
    """
    from rlsweep.store import sweeps
    from rlsweep.store.overview import overview
    from rlsweep.store.retry import retry_while_away

    with LiveProgress(out) as draw:
        while True:
            before()
            found = retry_while_away(lambda: sweeps.get(database, sweep.id), seconds=AWAY_SECONDS)
            draw(retry_while_away(lambda: overview(database, sweep.id), seconds=AWAY_SECONDS))
            if found.status.is_finished:
                return found
            lost = retry_while_away(lambda: sweeps.lost_driver(database, sweep.id), seconds=AWAY_SECONDS)
            if lost is not None:
                raise RlsweepError(
                    f"The driver {lost} of sweep {sweep.name} gives no sign of life. Go on with it: "
                    f"rlsweep resume {sweep.name}"
                )
            if found.driver is None:
                look()
            time.sleep(FOLLOW_SECONDS)


def driver_check(sweep: Sweep, settings: Settings, out: "Console") -> Callable[[], None]:
    """A call that raises RlsweepError where nobody will drive a sweep that has no driver (yet)."""
    if sweep.address is not None:
        from rlsweep.places.jobs import JobsCluster

        try:
            return look_at_job(JobsCluster(sweep.address), sweep)
        except ClusterUnavailableError as error:
            out.print(f"Only the record is followed. {error}", markup=False, soft_wrap=True)
            return lambda: None
    return look_at_service(Paths(settings), sweep)


def look_at_job(cluster: "JobsCluster", sweep: Sweep) -> Callable[[], None]:
    """Whether the job that drives the sweep, or is to, is still there."""
    failed_polls, is_missing = 0, False

    def look() -> None:
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
                f"Go on with it: rlsweep resume {sweep.name}"
            )
        if job is None or not job.is_over:
            return
        raise _ended_early(f"The cluster's driver of sweep {sweep.name} ended ({job.state})", cluster.log(sweep.id))

    return throttled(look)


def throttled(look: Callable[[], None]) -> Callable[[], None]:
    """The same, once every LOOK_SECONDS however often it is called."""
    looked = 0.0

    def look_seldom() -> None:
        nonlocal looked
        if time.monotonic() - looked >= LOOK_SECONDS:
            looked = time.monotonic()
            look()

    return look_seldom


def _ended_early(what: str, log: str) -> RlsweepError:
    said = log.strip().splitlines()[-LAST_LINES:]
    return RlsweepError("\n".join((f"{what} before its trials did. It said:", *said)))


def look_at_service(paths: Paths, sweep: Sweep) -> Callable[[], None]:
    """Whether the service is up, and at work on the sweep."""
    from rlsweep.places.service import find_service, is_up, sweeps_driven_by

    is_idle = False

    def look_if_driven() -> None:
        nonlocal is_idle
        was_idle = is_idle
        card = find_service(paths.service)
        is_idle = card is not None and sweep.id not in sweeps_driven_by(card)
        if is_idle and was_idle:  # at the first look it may just have come to its end
            log = paths.sweep_log(sweep.id)
            said = log.read_text(errors="replace") if log.exists() else "(no log of it was kept)"
            raise _ended_early(f"The service's driver of sweep {sweep.name} ended", said)

    look_seldom = throttled(look_if_driven)

    def look() -> None:
        if not is_up(paths.service):
            raise RlsweepError(
                f"Nobody drives sweep {sweep.name}: the service is not up. Go on with it: rlsweep resume {sweep.name}"
            )
        look_seldom()

    return look


def logs(
    sweep: options.SweepReference = "latest",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on as more is written, until the driver ends.")
    ] = False,
    address: options.Address = None,
) -> None:
    """Show what the driver of a sweep had to say, in the service or on a cluster."""
    from rlsweep.store.opening import open_database

    settings = call.settings()
    with open_database(settings) as database:
        found = find_sweep(database, sweep)
        file = Paths(settings).sweep_log(found.id)
        where = address or found.address
        if where is not None:
            _print_job_log(found, where, follow=follow)
        elif file.exists():
            _print_file(database, found, file, follow=follow)
        else:
            raise NotFoundError(
                f"No log was kept of sweep {found.name}: its driver wrote to the terminal that it was started in. The "
                "service (rlsweep up) and clusters keep one. What trials failed of is on record: "
                f"rlsweep status {found.name}"
            )


def _print_job_log(sweep: Sweep, address: str, *, follow: bool) -> None:
    from rlsweep.cluster.address import jobs_url
    from rlsweep.places.jobs import JobsCluster

    with before_start():
        cluster = JobsCluster(jobs_url(address))
        log = "" if follow else cluster.log(sweep.id)
    if follow:
        for text in cluster.follow_log(sweep.id):
            typer.echo(text, nl=False)
    else:
        typer.echo(log, nl=False)


@after_start()
def _print_file(database: "Database", sweep: Sweep, path: Path, *, follow: bool) -> None:
    from rlsweep.store import sweeps

    with path.open() as file:
        while True:
            over = sweeps.get(database, sweep.id).driver is None or sweeps.lost_driver(database, sweep.id) is not None
            typer.echo(file.read(), nl=False)
            if over or not follow:
                return
            time.sleep(FOLLOW_SECONDS)
