"""In the service of `rlsweep up`; this process follows."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from typing_extensions import override

from rlsweep.cluster.resources import Resources
from rlsweep.paths import Paths
from rlsweep.places.driver_checks import service_check
from rlsweep.places.handing_over import leave_or_follow, stays_pending
from rlsweep.places.observer import SweepObserver
from rlsweep.places.options import DrivingOptions
from rlsweep.places.outcome import SweepOutcome
from rlsweep.places.place import OpenPlace, Place, SweepRunner, Task
from rlsweep.places.service import Request, ServiceCard, ask
from rlsweep.settings import Settings
from rlsweep.store.database import Database


class InService(Place):
    """The service's driver takes the sweep."""

    def __init__(self, options: DrivingOptions, settings: Settings, card: ServiceCard) -> None:
        self._options = options
        self._paths = Paths(settings)
        self._card = card

    @override
    @contextmanager
    def open(self, resources: Resources, trials: int) -> Iterator[OpenPlace]:
        yield _OpenService(self._options, self._paths, self._card, resources)


class _OpenService(OpenPlace):
    """A service that is up."""

    def __init__(self, options: DrivingOptions, paths: Paths, card: ServiceCard, resources: Resources) -> None:
        self._options = options
        self._paths = paths
        self._card = card
        self._resources = resources

    @override
    def _ready(self, database: Database, observer: SweepObserver) -> SweepRunner:
        self._resources.slots([self._card.resources])
        return _ServiceRunner(database, observer, self._options, self._paths, self._card)


class _ServiceRunner(SweepRunner):
    """A service with room for the trials."""

    def __init__(
        self,
        database: Database,
        observer: SweepObserver,
        options: DrivingOptions,
        paths: Paths,
        card: ServiceCard,
    ) -> None:
        super().__init__(database, observer)
        self._options = options
        self._paths = paths
        self._card = card

    @override
    def _run(self, task: Task) -> SweepOutcome:
        request = Request(
            sweep_id=task.sweep.id,
            selection=task.selection,
            grace_seconds=self._options.grace,
            command=task.provenance.command,
            folder=Path.cwd(),
        )
        with stays_pending(task.sweep):
            ask(self._card, request)
        return leave_or_follow(
            self._database,
            task.sweep,
            self._observer,
            service_check(self._paths, task.sweep),
            driven_by="the service",
            detach=self._options.detach,
        )
