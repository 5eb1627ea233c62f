"""What `submit`, `resume` and `retry` do alike: have Ray, drive a sweep to its end, say what came of it."""

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlsweep.cli.output import EXIT_FAILED, EXIT_INTERRUPTED, console, print_json
from rlsweep.cli.progress import LiveProgress
from rlsweep.cli.signals import on_interrupt
from rlsweep.errors import RlsweepError, StoreUnavailableError
from rlsweep.runs import Sweep, SweepStatus
from rlsweep.settings import Settings
from rlsweep.sweep.resources import Resources

if TYPE_CHECKING:
    from rich.console import Console

    from rlsweep.store.database import Database
    from rlsweep.sweep.cluster import RaySession
    from rlsweep.sweep.driver import Driver
    from rlsweep.sweep.provenance import Provenance
    from rlsweep.sweep.share import Share

DEFAULT_GRACE = 120.0

_WAYS_ON = {
    SweepStatus.PENDING: "Finish it: rlsweep resume",
    SweepStatus.STOPPED: "Finish it: rlsweep resume",
    SweepStatus.FAILED: "Run the failed trials again: rlsweep retry",
}
"""What to type where not every trial completed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Driving:
    """How a sweep is driven, as the flags say.

    Ray reads its environment when it is first imported, and `ray()` sets that: nothing may import Ray before.

    cpus_per_trial, gpus_per_trial, max_concurrent: as `Resources` has them
    address: of a running cluster, None for a Ray of our own; dashboard: Ray's
    grace: seconds a trial may take to end once it was asked to stop
    json: the report goes to stdout as JSON, all else to stderr
    """

    cpus_per_trial: float
    gpus_per_trial: float
    max_concurrent: int | None
    address: str | None
    dashboard: bool
    grace: float
    json: bool

    @property
    def resources(self) -> Resources:
        """What each trial asks of Ray."""
        return Resources(
            cpus_per_trial=self.cpus_per_trial, gpus_per_trial=self.gpus_per_trial, max_concurrent=self.max_concurrent
        )

    def console(self) -> "Console":
        """Where the user is told how it goes."""
        return console(stderr=self.json)

    def ray(self) -> "RaySession":
        """Ray as the flags ask for it, not started yet."""
        from rlsweep.sweep.cluster import RayOptions, RaySession

        return RaySession(RayOptions(address=self.address, dashboard=self.dashboard))

    def slots(self, session: "RaySession", settings: Settings, out: "Console") -> int:
        """Wait for Ray; how many trials run at a time. Raises ClusterUnavailableError."""
        slots = session.ready(self.resources, settings)
        if session.dashboard_url is not None:
            out.print(
                f"Ray's dashboard: {session.dashboard_url} (token {os.environ['RAY_AUTH_TOKEN']})", soft_wrap=True
            )
        return slots

    def drive(
        self,
        database: "Database",
        sweep: Sweep,
        share: "Share",
        *,
        slots: int,
        settings: Settings,
        provenance: "Provenance",
        out: "Console",
    ) -> int:
        """Run the share to its end, print the report of the whole sweep, and return the command's exit code."""
        from rlsweep.reports.rendering import render
        from rlsweep.reports.summary import summarise
        from rlsweep.sweep.driver import Driver
        from rlsweep.sweep.execution import Workplace

        out.print(
            f"\nSweep {sweep.name} runs; follow or end it from elsewhere: rlsweep status|stop {sweep.name}",
            soft_wrap=True,
            markup=False,
        )
        workplace = Workplace(
            database_url=database.url,
            settings=settings,
            threads=self.resources.threads,
            metadata=provenance.as_metadata(),
            patience_seconds=math.inf,  # a trial waits for the database as long as its sweep does
        )
        driver = Driver(database, sweep, workplace, self.resources, share=share, slots=slots, grace_seconds=self.grace)
        interrupted, sweep = _run(driver, out)
        if not self.print_json_report(database, sweep):
            render(summarise(database, sweep), out)
            if (way_on := _WAYS_ON.get(sweep.status)) is not None:
                out.print(f"\n{way_on} {sweep.name}", markup=False, soft_wrap=True)
        if interrupted:
            return EXIT_INTERRUPTED
        return 0 if sweep.status is SweepStatus.COMPLETED else EXIT_FAILED

    def print_json_report(self, database: "Database", sweep: Sweep) -> bool:
        """Print it if JSON is asked for; whether it is."""
        if self.json:
            from rlsweep.reports.summary import as_json, summarise

            print_json(as_json(summarise(database, sweep)))
        return self.json


def _run(driver: "Driver", out: "Console") -> tuple[bool, Sweep]:
    """Run to the end; whether a signal asked to stop, and the sweep as it ended."""

    def tell() -> None:
        driver.request_stop()
        out.print("Stopping: trials end at their next step and keep what they recorded. Once more ends at once.")

    with LiveProgress(out) as watch, on_interrupt(tell) as interrupted:
        try:
            sweep = driver.run(watch)
        except StoreUnavailableError as error:
            raise RlsweepError(f"The sweep ended before its trials did. {error}") from error
    return interrupted.is_set(), sweep
