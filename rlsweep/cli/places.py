"""Where a sweep is driven: by this process, by the service of `rlsweep up`, or on a cluster elsewhere.

All three take a sweep that is on record and run the same driver; what differs is whose process that is.
"""

import math
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, chdir, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from rlsweep.cli.driving import Driving, conclude, make_driver, run_here
from rlsweep.cli.following import follow, look_at_job, look_at_service
from rlsweep.cli.output import console, print_json
from rlsweep.cluster.address import Address, Reach, read_address
from rlsweep.cluster.resources import Resources
from rlsweep.errors import InputError, RlsweepError, after_start, before_start
from rlsweep.paths import Paths
from rlsweep.places.service import Request, ServiceCard, ask, find_service
from rlsweep.runs import Sweep
from rlsweep.settings import Settings
from rlsweep.store import sweeps

if TYPE_CHECKING:
    from rich.console import Console

    from rlsweep.attempts.provenance import Provenance
    from rlsweep.driver.selection import RunSelection
    from rlsweep.places.jobs import JobsCluster
    from rlsweep.store.database import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """A selection of a sweep that is on record, and what a driver has to know of it; out: where the user is told."""

    database: "Database"
    sweep: Sweep
    selection: "RunSelection"
    resources: Resources
    provenance: "Provenance"
    out: "Console"


class Place(ABC):
    """Somewhere to drive a sweep, which is put on record between `check` and `drive`.

    address: of its Jobs API, if that is how it is reached, for the sweep's record
    """

    address: str | None = None

    @abstractmethod
    def opened(self, resources: Resources, trials: int) -> AbstractContextManager[object]:
        """Begin to get ready for so many trials, in the background; the end of the context ends what was begun."""

    @before_start()
    def check(self, database: "Database", resources: Resources, out: "Console") -> None:
        """Wait until it is ready. Raises InputError where sweeps with such trials cannot run there."""
        self._check(database, resources, out)

    @abstractmethod
    def _check(self, database: "Database", resources: Resources, out: "Console") -> None:
        """As `check`."""

    @after_start()
    def drive(self, task: Task) -> int:
        """Run the selection of the sweep to its end, or hand it over; returns the command's exit code.

        Raises DriverBusyError where somebody drives the sweep.
        """
        assigned = sweeps.assign(
            task.database, task.sweep.id, resources=task.resources.to_record(), address=self.address
        )
        return self._drive(replace(task, sweep=assigned))

    @abstractmethod
    def _drive(self, task: Task) -> int:
        """As `drive`, of a sweep whose record says where that is."""


@before_start()
def find_place(driving: Driving, settings: Settings, before: Sweep | None = None) -> Place:
    """Where the flags, RAY_ADDRESS, or else the sweep's own past say; else the service if one is up; else here.

    Raises InputError for an address that is none, and for flags that do not go together;
    UnreachableError for a cluster that does not answer.
    """
    address = read_address(driving.address)
    if address is None and before is not None and before.address is not None:
        address = Address(Reach.JOBS, before.address)
    if address is not None and address.reach is Reach.JOBS:
        from rlsweep.places.jobs import JobsCluster

        return _OnCluster(driving, settings, JobsCluster(address.text))
    service = None if address is not None or driving.dashboard else find_service(Paths(settings).service)
    if service is not None:
        return _InService(driving, settings, service)
    if driving.detach:
        raise InputError(
            "--detach: there is nobody to leave the sweep to. Start the service with `rlsweep up`, or name a cluster "
            "with --address http://HEAD:8265."
        )
    return _Here(driving, settings, address or Address(Reach.OWN, ""))


def drive_on_this_cluster(
    reference: str, selection: "RunSelection", settings: Settings, *, grace: float, command: str
) -> int:
    """Drive a sweep that was sent to the cluster which this process is a job of; returns the command's exit code.

    Its place and its resources are on record already. Raises InputError where it has to be refused.
    """
    from rlsweep.attempts.provenance import provenance_elsewhere
    from rlsweep.cluster.session import RayOptions, RaySession
    from rlsweep.store.opening import open_database

    out = console()
    with (
        chdir("/"),  # the job's own folder is Ray's, which may unpack it anew while somebody stands in it
        open_database(settings) as database,
        RaySession(RayOptions(address="auto")) as session,
    ):
        sweep = sweeps.get(database, reference)
        resources = Resources.from_record(sweep.resources)
        session.ready()
        session.check_nodes(database.url, settings)
        driver = make_driver(
            database,
            sweep,
            selection,
            resources=resources,
            slots=session.slots(resources),
            settings=settings,
            metadata=provenance_elsewhere(sweep, command).as_metadata(),
            grace=grace,
        )
        interrupted, sweep = run_here(driver, out)
        return conclude(database, sweep, out, interrupted=interrupted, json=False)


class _Here(Place):
    """Here: this process is the driver, on a Ray of its own or on a cluster that it joins."""

    def __init__(self, driving: Driving, settings: Settings, address: Address) -> None:
        self._driving = driving
        self._settings = settings
        self._address = address

    @override
    def opened(self, resources: Resources, trials: int) -> AbstractContextManager[object]:
        from rlsweep.cluster.session import RayOptions, RaySession

        options = RayOptions(
            address=self._address.text or None,
            most_cpus=math.ceil(trials * resources.cpus_per_trial),
            dashboard=self._driving.dashboard,
        )
        self._session = RaySession(options)
        return self._session

    @override
    def _check(self, database: "Database", resources: Resources, out: "Console") -> None:
        self._session.ready()
        self._slots = self._session.slots(resources)
        self._session.check_nodes(database.url, self._settings)
        if self._session.dashboard_url is not None:
            out.print(f"Ray's dashboard: {self._session.dashboard_url} (token {self._session.token})", soft_wrap=True)

    @override
    def _drive(self, task: Task) -> int:
        task.out.print(
            f"\nSweep {task.sweep.name} runs; follow or end it from elsewhere: rlsweep status|stop {task.sweep.name}",
            soft_wrap=True,
            markup=False,
        )
        driver = make_driver(
            task.database,
            task.sweep,
            task.selection,
            resources=task.resources,
            slots=self._slots,
            settings=self._settings,
            metadata=task.provenance.as_metadata(),
            grace=self._driving.grace,
        )
        interrupted, sweep = run_here(driver, task.out)
        return conclude(task.database, sweep, task.out, interrupted=interrupted, json=self._driving.json)


class _InService(Place):
    """The service's resident driver takes it; this command follows."""

    def __init__(self, driving: Driving, settings: Settings, card: ServiceCard) -> None:
        self._driving = driving
        self._paths = Paths(settings)
        self._card = card

    @override
    def opened(self, resources: Resources, trials: int) -> AbstractContextManager[object]:
        return nullcontext()

    @override
    def _check(self, database: "Database", resources: Resources, out: "Console") -> None:
        resources.slots([self._card.resources])

    @override
    def _drive(self, task: Task) -> int:
        request = Request(
            sweep_id=task.sweep.id,
            selection=task.selection,
            grace_seconds=self._driving.grace,
            command=task.provenance.command,
            folder=Path.cwd(),
        )
        with _still_on_record(task.sweep):
            ask(self._card, request)
        return _left_or_followed(task, self._driving, look_at_service(self._paths, task.sweep), "the service")


class _OnCluster(Place):
    """A job on the cluster's head takes it; this command follows, or leaves it."""

    def __init__(self, driving: Driving, settings: Settings, cluster: "JobsCluster") -> None:
        self._driving = driving
        self._settings = settings
        self._cluster = cluster
        self.address = cluster.url

    @override
    def opened(self, resources: Resources, trials: int) -> AbstractContextManager[object]:
        return nullcontext()

    @override
    def _check(self, database: "Database", resources: Resources, out: "Console") -> None:
        nodes = self._cluster.nodes()
        elsewhere = {node.host for node in nodes} - {socket.gethostname()}
        if elsewhere and self._settings.database_url is None:
            raise InputError(
                f"The cluster at {self._cluster.url} runs on {', '.join(sorted(elsewhere)[:3])}, which cannot reach "
                f"the embedded database in {self._settings.home}: set RLSWEEP_DATABASE_URL to a PostgreSQL server that "
                "its nodes and this machine reach, and RLSWEEP_STORAGE to what all nodes reach."
            )
        resources.slots([node.resources for node in nodes])

    @override
    def _drive(self, task: Task) -> int:
        with _still_on_record(task.sweep):
            sent = self._cluster.send(
                task.sweep,
                task.selection,
                self._settings,
                grace_seconds=self._driving.grace,
                command=task.provenance.command,
            )
        if not sent:
            task.out.print(f"The cluster has sweep {task.sweep.name} already.", markup=False)
        return _left_or_followed(task, self._driving, look_at_job(self._cluster, task.sweep), self._cluster.url)


@contextmanager
def _still_on_record(sweep: Sweep) -> Iterator[None]:
    """What keeps a sweep from being handed over is no end of it: say so, and how to go on."""
    try:
        yield
    except RlsweepError as error:
        raise RlsweepError(
            f"{error} Sweep {sweep.name} is on record, and waits: rlsweep resume {sweep.name}"
        ) from error


def _left_or_followed(task: Task, driving: Driving, look: Callable[[], None], where: str) -> int:
    name = task.sweep.name
    task.out.print(
        f"\nSweep {name} is driven by {where}; from elsewhere: rlsweep attach|status|logs|stop {name}",
        soft_wrap=True,
        markup=False,
    )
    if not driving.detach:
        return follow(task.database, task.sweep, task.out, look=look, json=driving.json)
    if driving.json:
        print_json({"sweep": task.sweep})
    return 0
