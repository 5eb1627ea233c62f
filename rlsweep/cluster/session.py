"""Start and end a local Ray, or join a running cluster."""

import importlib
import logging
import os
import secrets
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from rlsweep.cluster import fork_client, idle_agent
from rlsweep.cluster.fork_server import fork_server, is_supported
from rlsweep.cluster.joining import check_joinable, use_token_if_any
from rlsweep.cluster.ray_internals import (
    FIRST_WORKERS_VARIABLE,
    NICENESS_VARIABLE,
    PRELOAD_VARIABLE,
    SET_BY_RAY,
    forbid_auto_connect,
    preloaded_workers,
    reread_authentication,
    silent_workers,
    start_local,
    usable_cpus,
    worker_script,
)
from rlsweep.cluster.resources import Resources
from rlsweep.errors import ClusterUnavailableError, before_start
from rlsweep.python_path import python_path
from rlsweep.scratch import scratch_folder
from rlsweep.settings import Settings
from rlsweep.stages import stage

OBJECT_STORE_BYTES = 80 * 1024**2
"""Size of Ray's object store. Trials exchange only run ids; this is about Ray's minimum."""

JOIN_SECONDS = 60.0
"""Time limit for joining a cluster that has answered."""

START_SECONDS = 180.0
"""Time limit for starting a local Ray on a busy machine; usually it takes 3 to 6 s."""

PRELOAD_SECONDS = 60.0
"""Time limit for the imports of a local Ray's workers; usually they take 3 to 6 s."""

POLL_SECONDS = 0.02
"""Time between two checks whether they have imported."""

LOADING = "Loading libraries in Ray's workers"
"""The stage that is shown during that."""

_ENVIRON = {
    "PYTHONWARNINGS": "ignore",  # for Ray's processes, which inherit it
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    FIRST_WORKERS_VARIABLE: "0",  # this process could not even plan until they have imported; they are started here
    NICENESS_VARIABLE: "0",  # with Ray's default of 15, trials get no CPU time while another process computes
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # not needed, and Tune's CSV and JSON files are slow (ray#13236)
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # the command handles signals
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
}


_QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
"""Options of `ray.init`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RayOptions:
    """Options of a Ray session; all except `address` are for a local Ray.

    address: address of a running cluster; None for a local Ray
    cpus: number of CPUs that Ray schedules, independent of the machine; None for the machine's CPUs
    most_cpus: upper limit on the machine's CPUs; Ray starts a worker, which imports torch, for each CPU
    dashboard: start Ray's dashboard on 127.0.0.1; it includes the Jobs API
    dashboard_port: None for the first free port from 8265 on
    token: Ray's token; None generates one
    preload: modules without Ray that are imported for its workers while Ray still starts; a trial needs torch
    preload_with_ray: modules that are imported for them once Ray is there, one at a time: between two of them a fork
        server also serves the process that measures
    meanwhile: modules that this process imports in a thread while its Ray starts; pydantic.v1.fields is imported by Ray
        for the first object that it sends
    """

    address: str | None = None
    cpus: int | None = None
    most_cpus: int | None = None
    dashboard: bool = False
    dashboard_port: int | None = None
    token: str | None = None
    preload: tuple[str, ...] = ("rlsweep.driver.preload",)
    preload_with_ray: tuple[str, ...] = ("ray", "pandas", "ray.data", "ray.tune", "rlsweep.driver.trainable")
    meanwhile: tuple[str, ...] = ("ray.tune", "rlsweep.driver.driver", "rlsweep.reports.summary", "pydantic.v1.fields")


class RaySession:
    """Ray while the context lasts. It starts in a thread, so that the plan can be measured meanwhile.

    `ready()` waits for it and raises UnreachableError if it does not start. Ray's environment variables, which its
    processes inherit, are set while it runs.

    token: token of a local Ray
    """

    def __init__(self, options: RayOptions) -> None:
        self._options = options
        self.token = options.token or secrets.token_hex(32)
        self.dashboard_url: str | None = None
        self._first_workers = 0
        self._workers_due = 0.0
        self._error: BaseException | None = None
        self._started = threading.Event()
        self._leaving = threading.Event()
        self._forking = ExitStack()
        self._thread = threading.Thread(target=self._hold, name="ray", daemon=True)

    def __enter__(self) -> "RaySession":
        self._before = dict(os.environ)
        if self._options.address is None:
            # a new token: other users of the machine must not submit work to this Ray, and the user's token for other
            # clusters is not for this one
            os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=self.token, PYTHONPATH=python_path())
        else:
            use_token_if_any()
        modules = (*self._options.preload, *self._options.preload_with_ray, "rlsweep.cluster.preloaded")
        os.environ.update(_ENVIRON | {PRELOAD_VARIABLE: ",".join(modules)} | os.environ)  # what the user set stays
        if self._options.address is None and is_supported():
            self._start_fork_server()
        self._thread.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        # a thread that still waits for an answer ends with the process
        self._thread.join(None if self._started.is_set() else 0)
        self._forking.close()

    @before_start()
    def ready(self) -> None:
        """Wait until Ray answers. Raises UnreachableError if it does not answer or refuses access."""
        where = f"at {self._options.address}" if self._options.address else "on this machine"
        is_own = self._options.address is None
        with stage(f"Starting Ray {where}" if is_own else f"Connecting to Ray {where}"):
            has_started = self._started.wait(START_SECONDS if is_own else JOIN_SECONDS)
        if not has_started:
            raise ClusterUnavailableError(f"Ray {where} gave no answer. Check it on its head: ray status")
        if isinstance(self._error, ClusterUnavailableError):
            raise self._error
        if self._error is not None:
            raise ClusterUnavailableError(f"Ray cannot be started or reached {where}: {self._error}") from self._error

    def has_workers(self) -> bool:
        """Whether the first workers of a local Ray have imported what trials need; True also PRELOAD_SECONDS later.

        Ray gives an actor no worker that still imports: it starts another one, which imports the same.
        """
        if self._first_workers and time.monotonic() < self._workers_due:
            if preloaded_workers() < self._first_workers:
                return False
            self._first_workers = 0  # they end with their actors
        return True

    def wait_for_workers(self) -> None:
        """Wait until `has_workers`."""
        with stage(LOADING):
            while not self.has_workers():
                time.sleep(POLL_SECONDS)

    def slots(self, resources: Resources) -> int:
        """Number of trials that run at the same time.

        Raises InputError if a trial fits on no node, ClusterUnavailableError if Ray went down.
        """
        return resources.slots(self.nodes())

    def nodes(self) -> list[dict[str, float]]:
        """The total resources of each node. Raises ClusterUnavailableError if Ray went down."""
        return [node["Resources"] for node in _live_nodes()]

    def resources(self) -> dict[str, float]:
        """The total resources of all nodes."""
        import ray

        return dict(ray.cluster_resources())

    def prestart_workers(self) -> int:
        """Start workers for the next sweep on a local Ray; return how many."""
        from rlsweep.cluster.prestart import prestart_workers

        return prestart_workers()

    @before_start()
    def check_nodes(self, database_url: str, settings: Settings) -> None:
        """Raise UnreachableError if another node cannot reach the database or the storage."""
        import ray

        here = ray.get_runtime_context().get_node_id()
        others = {
            node["NodeID"]: f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"
            for node in _live_nodes()
            if node["NodeID"] != here
        }
        if others:
            from rlsweep.cluster.node_checks import check_nodes

            check_nodes(others, database_url, settings)

    def _hold(self) -> None:
        """Start Ray, wait, and end Ray, all in one thread: the kernel ends Ray's processes with that thread.

        Ray's processes get SIGTERM when their parent dies (PR_SET_PDEATHSIG), and for Linux the parent is the thread
        that started them. So no process of Ray outlives a killed driver.
        """
        # a short private path: it contains sockets, and by default Ray leaves its logs in a shared folder forever
        with scratch_folder("ray") as folder, ExitStack() as held:
            held.callback(self._restore_environ)
            try:
                # Ray makes the given folder writable for everyone; its parent is accessible only to this user
                self._init(str(folder / "r"), held)
            except BaseException as error:  # noqa: BLE001 - raised by `ready`; Ray also raises SystemExit
                self._error = error
            finally:
                self._started.set()
            self._leaving.wait()

    def _start_fork_server(self) -> None:
        """Start it before Ray: it imports while Ray starts, and forks the process that measures environments."""
        self._forking.enter_context(
            fork_server(
                self._forking.enter_context(scratch_folder("fork")),
                before_ray=self._options.preload,
                with_ray=self._options.preload_with_ray,
                worker=worker_script(),
            )
        )

    def _restore_environ(self) -> None:
        """Restore the process's environment: the next sweep, or the user's own Ray, has another token."""
        for name in (*_ENVIRON, PRELOAD_VARIABLE, *SET_BY_RAY, "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "PYTHONPATH"):
            if name in self._before:
                os.environ[name] = self._before[name]
            else:
                os.environ.pop(name, None)
        reread_authentication()

    def _init(self, folder: str, held: ExitStack) -> None:
        import ray

        if ray.is_initialized():
            raise ClusterUnavailableError(
                "This process has joined a Ray already, and a sweep needs its own. End that one: ray.shutdown()"
            )
        forbid_auto_connect()
        held.enter_context(silent_workers())  # a worker's death is recorded with its run
        held.callback(ray.shutdown)  # also of a start that fails half-way
        reread_authentication()  # it may be that of an earlier Ray of this process
        if self._options.address is not None:
            check_joinable(self._options.address)
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="imports") as thread:
            imports = thread.submit(_import_all, self._options.meanwhile)
            if self._options.address is not None:
                ray.init(address=self._options.address, **_QUIET)
            else:
                self._start(folder)
            imports.result()

    def _start(self, folder: str) -> None:
        """Start a local Ray and its first workers."""
        context = start_local(
            folder,
            num_cpus=self._cpus(),
            include_dashboard=self._options.dashboard,
            worker_path=fork_client.__file__ if is_supported() else worker_script(),
            agent_path=idle_agent.__file__ if is_supported() else None,
            dashboard_host="127.0.0.1",
            dashboard_port=self._options.dashboard_port,
            object_store_memory=OBJECT_STORE_BYTES,
            **_QUIET,
        )
        if self._options.dashboard:
            self.dashboard_url = f"http://{context.dashboard_url}"
        self._first_workers = self.prestart_workers()
        self._workers_due = time.monotonic() + PRELOAD_SECONDS

    def _cpus(self) -> int | None:
        if self._options.cpus is not None or self._options.most_cpus is None:
            return self._options.cpus
        return min(self._options.most_cpus, max(1, int(usable_cpus())))


def _import_all(modules: Sequence[str]) -> None:
    for module in modules:
        importlib.import_module(module)


def _live_nodes() -> list[dict[str, Any]]:
    import ray

    live = [node for node in ray.nodes() if node["Alive"]]
    if not live:
        raise ClusterUnavailableError(
            "Ray went down after it had started: none of its nodes is alive. Run the command again; if that happens "
            "again, free memory and disk space, or set RAY_ADDRESS to a cluster that runs."
        )
    return live
