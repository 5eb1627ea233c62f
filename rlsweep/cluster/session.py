"""Where Ray runs: a local one, started and ended by us, or a running cluster that is joined."""

import logging
import os
import secrets
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from rlsweep.cluster.joining import check_joinable, use_token_if_any
from rlsweep.cluster.ray_internals import (
    NICENESS_VARIABLE,
    PRELOAD_VARIABLE,
    silence_worker_messages,
    start_local,
    usable_cpus,
)
from rlsweep.cluster.resources import Resources
from rlsweep.errors import ClusterUnavailableError, before_start
from rlsweep.scratch import scratch_folder
from rlsweep.settings import Settings

OBJECT_STORE_BYTES = 80 * 1024**2
"""Trials pass a run id and nothing else; this is about the least that Ray takes."""

JOIN_SECONDS = 60.0
"""How long a cluster that answered may take to let us in."""

START_SECONDS = 180.0
"""How long a local Ray may take to start on a busy machine; 3 to 6 s are usual."""

_ENVIRON = {
    "PYTHONWARNINGS": "ignore",  # of Ray's own processes, which inherit it
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    PRELOAD_VARIABLE: "rlsweep.driver.preload",  # workers import torch while the driver still starts
    NICENESS_VARIABLE: "0",  # Ray's own 15 is starved by whatever else computes: a sweep beside it never began
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # ours is the record; Tune's CSV and JSON are its bottleneck (ray#13236)
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # the command owns the signals
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class RayOptions:
    """Which Ray; all but the address is for a local one.

    address: of a running cluster, None for a local one
    cpus: as many as Ray is to hand out, whatever the machine has; None takes those of the machine
    most_cpus: of the machine's, where they can be put to use; each comes with a worker that imports torch
    dashboard: Ray's own, on 127.0.0.1; the Jobs API is part of it
    dashboard_port: None takes the first free one from Ray's usual 8265 on
    token: what those who work with it must know; None makes one that nobody else learns
    """

    address: str | None = None
    cpus: int | None = None
    most_cpus: int | None = None
    dashboard: bool = False
    dashboard_port: int | None = None
    token: str | None = None


class RaySession:
    """Ray while the context lasts. It starts in a thread, so that the plan can be measured meanwhile.

    `ready()` waits for it and raises UnreachableError where it cannot be had. Ray's environment variables, which
    its processes inherit, are set while it runs.

    token: what those who work with a local one must know
    """

    def __init__(self, options: RayOptions) -> None:
        self._options = options
        self.token = options.token or secrets.token_hex(32)
        self.dashboard_url: str | None = None
        self._error: BaseException | None = None
        self._started = threading.Event()
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._hold, name="ray", daemon=True)

    def __enter__(self) -> "RaySession":
        self._before = dict(os.environ)
        if self._options.address is None:
            # Other users of the machine cannot submit work to this Ray. A token of the user's for other clusters is
            # not for this one.
            os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=self.token)
        else:
            use_token_if_any()
        os.environ.update(_ENVIRON | os.environ)  # what the user set stays
        self._thread.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        # One that is still waiting for an answer ends with the process.
        self._thread.join(None if self._started.is_set() else 0)

    @before_start()
    def ready(self) -> None:
        """Wait until Ray answers. Raises UnreachableError where it does not, or does not let us in."""
        where = f"at {self._options.address}" if self._options.address else "on this machine"
        if not self._started.wait(START_SECONDS if self._options.address is None else JOIN_SECONDS):
            raise ClusterUnavailableError(f"Ray {where} gave no answer. Look at it on its head: ray status")
        if isinstance(self._error, ClusterUnavailableError):
            raise self._error
        if self._error is not None:
            raise ClusterUnavailableError(f"Ray cannot be started or reached {where}: {self._error}") from self._error

    def slots(self, resources: Resources) -> int:
        """How many trials run at a time. Raises InputError where no node can hold one."""
        return resources.slots(self.nodes())

    def nodes(self) -> list[dict[str, float]]:
        """What each node has of each kind."""
        return [node["Resources"] for node in _live_nodes()]

    def resources(self) -> dict[str, float]:
        """What all nodes have of each kind."""
        import ray

        return dict(ray.cluster_resources())

    def prestart_workers(self) -> None:
        """Have workers ready for the next sweep, on a Ray of our own."""
        from rlsweep.cluster.prestart import prestart_workers

        prestart_workers()

    @before_start()
    def check_nodes(self, database_url: str, settings: Settings) -> None:
        """Raise UnreachableError where a node other than this one cannot reach the database or the storage."""
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
        """Start Ray, keep it, and end it, all in one thread: the kernel ends Ray's processes with that thread.

        Ray has them sent SIGTERM when their parent dies (PR_SET_PDEATHSIG), and Linux takes the parent to be the
        thread that started them. It is also why nothing of Ray outlives a driver that is killed.
        """
        # A short path of our own: sockets lie in it, and Ray would leave its logs in a shared folder for ever.
        with scratch_folder("ray") as folder:
            try:
                # Ray lets everybody into the folder that it is given, and write there; nobody gets into ours above it.
                self._init(str(folder / "r"))
            except BaseException as error:  # noqa: BLE001 - told by `ready`; Ray also raises SystemExit
                self._error = error
            finally:
                self._started.set()
            self._leaving.wait()
            import ray

            ray.shutdown()
        self._restore_environ()

    def _restore_environ(self) -> None:
        for name in (*_ENVIRON, "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
            if name in self._before:
                os.environ[name] = self._before[name]
            else:
                os.environ.pop(name, None)

    def _init(self, folder: str) -> None:
        import ray
        from ray._raylet import AuthenticationTokenLoader  # type: ignore[attr-defined]

        AuthenticationTokenLoader.instance().reset_cache()  # it holds the token of an earlier session of this process
        if self._options.address is not None:
            check_joinable(self._options.address)
        common: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
        if self._options.address is not None:
            ray.init(address=self._options.address, **common)
        else:
            context = start_local(
                folder,
                num_cpus=self._cpus(),
                include_dashboard=self._options.dashboard,
                dashboard_host="127.0.0.1",
                dashboard_port=self._options.dashboard_port,
                object_store_memory=OBJECT_STORE_BYTES,
                **common,
            )
            if self._options.dashboard:
                self.dashboard_url = f"http://{context.dashboard_url}"
        silence_worker_messages()  # a worker's death is on the run's record
        from ray import tune  # noqa: F401 - its import takes a second, better spent here

    def _cpus(self) -> int | None:
        if self._options.cpus is not None or self._options.most_cpus is None:
            return self._options.cpus
        return min(self._options.most_cpus, max(1, int(usable_cpus())))


def _live_nodes() -> list[dict[str, Any]]:
    import ray

    return [node for node in ray.nodes() if node["Alive"]]
