"""On a cluster elsewhere, as a job on its head; this process follows."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from typing_extensions import override

from rlsweep.cluster.resources import Resources
from rlsweep.errors import InputError, before_start
from rlsweep.places.driver_checks import job_check
from rlsweep.places.handing_over import leave_or_follow, stays_pending
from rlsweep.places.jobs import JobsCluster
from rlsweep.places.observer import SweepObserver
from rlsweep.places.options import DrivingOptions
from rlsweep.places.outcome import SweepOutcome
from rlsweep.places.place import OpenPlace, Place, SweepRunner, Task
from rlsweep.settings import Settings
from rlsweep.stages import stage
from rlsweep.store.database import Database


class OnCluster(Place):
    """A job on the cluster's head takes the sweep."""

    def __init__(self, options: DrivingOptions, settings: Settings, cluster: JobsCluster) -> None:
        self._options = options
        self._settings = settings
        self._cluster = cluster

    @override
    @contextmanager
    def open(self, resources: Resources, trials: int) -> Iterator[OpenPlace]:
        self._check(resources)  # an answer takes less time than the plan's measurement, which comes next
        yield _OpenCluster(self._options, self._settings, self._cluster)

    @before_start()
    def _check(self, resources: Resources) -> None:
        """Raise InputError if the cluster cannot run such trials, UnreachableError if it does not answer."""
        with stage(f"Connecting to {self._cluster.url}"):
            nodes = self._cluster.nodes()
        elsewhere = {node.host for node in nodes} - {socket.gethostname()}
        if elsewhere and self._settings.database_url is None:
            raise InputError(
                f"The cluster at {self._cluster.url} runs on {', '.join(sorted(elsewhere)[:3])}, which cannot reach "
                f"the embedded database in {self._settings.home}. Set RLSWEEP_DATABASE_URL to a PostgreSQL server that "
                "its nodes and this machine reach, and RLSWEEP_STORAGE to what all nodes reach."
            )
        resources.slots([node.resources for node in nodes])


class _OpenCluster(OpenPlace):
    """A cluster with room for the trials."""

    def __init__(self, options: DrivingOptions, settings: Settings, cluster: JobsCluster) -> None:
        self._options = options
        self._settings = settings
        self._cluster = cluster

    @override
    def _ready(self, database: Database, observer: SweepObserver) -> SweepRunner:
        return _JobRunner(database, observer, self._options, self._settings, self._cluster)


class _JobRunner(SweepRunner):
    """Sends sweeps as jobs."""

    def __init__(
        self,
        database: Database,
        observer: SweepObserver,
        options: DrivingOptions,
        settings: Settings,
        cluster: JobsCluster,
    ) -> None:
        super().__init__(database, observer, address=cluster.url)
        self._options = options
        self._settings = settings
        self._cluster = cluster

    @override
    def _run(self, task: Task) -> SweepOutcome:
        with stays_pending(task.sweep):
            sent = self._cluster.send(
                task.sweep,
                task.selection,
                self._settings,
                grace_seconds=self._options.grace,
                command=task.provenance.command,
                working_folder=Path.cwd(),
            )
        if not sent:
            self._observer.message(f"The cluster has a job of sweep {task.sweep.name} already.")
        return leave_or_follow(
            self._database,
            task.sweep,
            self._observer,
            job_check(self._cluster, task.sweep),
            driven_by=self._cluster.url,
            detach=self._options.detach,
        )
