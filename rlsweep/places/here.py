"""In this process, on a Ray of its own or on a cluster that it joins."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from rlsweep.cluster.address import Address
from rlsweep.cluster.resources import Resources
from rlsweep.cluster.session import RayOptions, RaySession
from rlsweep.places.observer import SweepObserver
from rlsweep.places.options import DrivingOptions
from rlsweep.places.outcome import SweepOutcome
from rlsweep.places.place import OpenPlace, Place, SweepRunner, Task
from rlsweep.places.running import make_driver, run_driver
from rlsweep.settings import Settings

if TYPE_CHECKING:
    from rlsweep.store.database import Database


class Here(Place):
    """The process that was asked drives the sweep itself."""

    def __init__(self, options: DrivingOptions, settings: Settings, address: Address) -> None:
        self._options = options
        self._settings = settings
        self._address = address

    @override
    @contextmanager
    def open(self, resources: Resources, trials: int) -> Iterator[OpenPlace]:
        ray = RayOptions(
            address=self._address.text or None,
            most_cpus=math.ceil(trials * resources.cpus_per_trial),
            dashboard=self._options.dashboard,
        )
        with RaySession(ray) as session:
            yield _OpenRay(session, resources, self._settings, grace=self._options.grace)


class _OpenRay(OpenPlace):
    """Ray, which starts in the background."""

    def __init__(self, session: RaySession, resources: Resources, settings: Settings, *, grace: float) -> None:
        self._session = session
        self._resources = resources
        self._settings = settings
        self._grace = grace

    @override
    def _ready(self, database: "Database", observer: SweepObserver) -> SweepRunner:
        self._session.ready()
        slots = self._session.slots(self._resources)
        self._session.check_nodes(database.url, self._settings)
        if self._session.dashboard_url is not None:
            observer.message(f"Ray's dashboard: {self._session.dashboard_url} (token {self._session.token})")
        return _RayRunner(database, observer, self._settings, self._session, slots=slots, grace=self._grace)


class _RayRunner(SweepRunner):
    """The Ray that this process has joined."""

    def __init__(
        self,
        database: "Database",
        observer: SweepObserver,
        settings: Settings,
        session: RaySession,
        *,
        slots: int,
        grace: float,
    ) -> None:
        super().__init__(database, observer)
        self._settings = settings
        self._session = session
        self._slots = slots
        self._grace = grace

    @override
    def _run(self, task: Task) -> SweepOutcome:
        name = task.sweep.name
        self._observer.message(
            f"\nRunning {name}. From another terminal: `rlsweep status {name} --follow`, `rlsweep stop {name}`."
        )
        driver = make_driver(
            self._database,
            task.sweep,
            task.selection,
            resources=task.resources,
            slots=self._slots,
            settings=self._settings,
            metadata=task.provenance.as_metadata(),
            grace=self._grace,
            folder=Path.cwd(),
            has_workers=self._session.has_workers,
        )
        return run_driver(driver, self._database, self._observer)
