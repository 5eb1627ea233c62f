"""How a sweep is driven, as flags say, and what is said at its end: what `submit`, `resume` and `retry` do alike."""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rlsweep.cli.output import EXIT_FAILED, EXIT_INTERRUPTED, console, print_json
from rlsweep.cli.progress import LiveProgress
from rlsweep.cli.signals import on_interrupt
from rlsweep.cluster.resources import Resources
from rlsweep.errors import RlsweepError, StoreUnavailableError
from rlsweep.runs import Sweep, SweepStatus
from rlsweep.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from rlsweep.driver.driver import Driver
    from rlsweep.driver.selection import RunSelection
    from rlsweep.store.database import Database

DEFAULT_GRACE = 120.0

STOPPING = "Stopping: trials end at their next step and keep what they recorded. Once more ends at once."

_WAYS_ON = {
    SweepStatus.PENDING: "Finish it: rlsweep resume",
    SweepStatus.STOPPED: "Finish it: rlsweep resume",
    SweepStatus.FAILED: "Run the failed trials again: rlsweep retry",
}
"""What to type where not every trial completed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Driving:
    """The flags.

    cpus_per_trial, gpus_per_trial, max_concurrent: None where none was given
    autoscale: as `Resources` has it
    address: of a cluster; dashboard: of a Ray of our own; see `places`
    detach: the command ends once the sweep is handed over
    grace: seconds a trial may take to end once it was asked to stop
    json: the report goes to stdout as JSON, all else to stderr
    """

    cpus_per_trial: float | None
    gpus_per_trial: float | None
    max_concurrent: int | None
    autoscale: bool
    address: str | None
    dashboard: bool
    detach: bool
    grace: float
    json: bool

    def resources(self, before: Sweep | None = None) -> Resources:
        """What each trial asks of Ray: what flags say, else what the sweep asked for before, else the defaults."""
        recorded = Resources.from_record(before.resources if before else None)
        flags: dict[str, Any] = {
            "cpus_per_trial": self.cpus_per_trial,
            "gpus_per_trial": self.gpus_per_trial,
            "max_concurrent": self.max_concurrent,
            "autoscale": self.autoscale or None,
        }
        return replace(recorded, **{name: value for name, value in flags.items() if value is not None})

    def console(self) -> "Console":
        """Where the user is told how it goes."""
        return console(stderr=self.json)


def make_driver(
    database: "Database",
    sweep: Sweep,
    selection: "RunSelection",
    *,
    resources: Resources,
    slots: int,
    settings: Settings,
    metadata: dict[str, Any],
    grace: float,
    code_folder: "Path | None" = None,
) -> "Driver":
    """Make a driver of the selection for the Ray that this process has joined.

    code_folder: where the user works, if that is elsewhere; environments may be imported from it
    """
    from rlsweep.attempts.execution import WorkerContext
    from rlsweep.driver.driver import Driver

    context = WorkerContext(
        database_url=database.url,
        settings=settings,
        threads=resources.threads,
        metadata=metadata,
        code_folder=code_folder,
        patience_seconds=math.inf,  # a trial waits for the database as long as its sweep does
    )
    return Driver(database, sweep, context, resources, selection=selection, slots=slots, grace_seconds=grace)


def run_here(driver: "Driver", out: "Console") -> tuple[bool, Sweep]:
    """Run a driver to its end, in the main thread; whether a signal asked to stop, and the sweep as it ended."""

    def tell() -> None:
        driver.request_stop()
        out.print(STOPPING)

    with LiveProgress(out) as watch, on_interrupt(tell) as interrupted:
        try:
            sweep = driver.run(watch)
        except StoreUnavailableError as error:
            raise RlsweepError(f"The sweep ended before its trials did. {error}") from error
    return interrupted.is_set(), sweep


def conclude(database: "Database", sweep: Sweep, out: "Console", *, interrupted: bool = False, json: bool) -> int:
    """Print the report of a sweep as it ended, and return the command's exit code."""
    from rlsweep.reports.rendering import render
    from rlsweep.reports.summary import summarise

    if json:
        print_json_report(database, sweep)
    else:
        render(summarise(database, sweep), out)
        if (way_on := _WAYS_ON.get(sweep.status)) is not None:
            out.print(f"\n{way_on} {sweep.name}", markup=False, soft_wrap=True)
    if interrupted:
        return EXIT_INTERRUPTED
    return 0 if sweep.status is SweepStatus.COMPLETED else EXIT_FAILED


def print_json_report(database: "Database", sweep: Sweep) -> None:
    """The report as one JSON document."""
    from rlsweep.reports.summary import as_json, summarise

    print_json(as_json(summarise(database, sweep)))
