"""Where Ray runs: a local one, started and ended by us, or a running cluster that is joined."""

import logging
import math
import os
import secrets
import socket
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from rlsweep.errors import ClusterUnavailableError
from rlsweep.scratch import scratch_folder
from rlsweep.settings import Settings
from rlsweep.sweep.resources import Resources

DASHBOARD_PORT = 8265

OBJECT_STORE_BYTES = 80 * 1024**2
"""Trials pass a run id and nothing else; this is about the least that Ray takes."""

CONNECT_SECONDS = 5.0
"""How long a cluster's address may take to take a connection."""

JOIN_SECONDS = 30.0
"""How long a cluster may take to let us in; with a wrong token Ray would wait for ever."""

START_SECONDS = 180.0
"""How long a local Ray may take to start on a busy machine; 3 to 6 s are usual."""

_ENVIRON = {
    "PYTHONWARNINGS": "ignore",  # of Ray's own processes, which inherit it
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_preload_python_modules": "rlsweep.sweep.preload",  # workers import torch while the driver still starts
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # ours is the record; Tune's CSV and JSON are its bottleneck (ray#13236)
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # the command owns the signals
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class RayOptions:
    """address: of a running cluster, None for a local one; dashboard: Ray's own, on 127.0.0.1:8265, local only."""

    address: str | None = None
    dashboard: bool = False


class RaySession:
    """Ray while the context lasts. It starts in a thread, so that the plan can be measured meanwhile.

    `ready()` waits for it and raises ClusterUnavailableError where it cannot be had.
    """

    def __init__(self, options: RayOptions, *, cpus: int | None = None) -> None:
        self._options = options
        self._cpus = cpus
        self.dashboard_url: str | None = None
        self._error: BaseException | None = None
        self._started = threading.Event()
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._hold, name="ray", daemon=True)

    def __enter__(self) -> "RaySession":
        environ = dict(_ENVIRON)
        if self._options.address is None:
            # A token of our own: other users of the machine cannot submit work to this Ray.
            environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        os.environ.update(environ | os.environ)  # what the user set stays
        self._thread.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        # One that is still waiting for an answer ends with the process.
        self._thread.join(None if self._started.is_set() else 0)

    def ready(self, resources: Resources, settings: Settings) -> int:
        """Wait until Ray answers; returns how many trials fit at a time, `max_concurrent` at the most.

        Raises ClusterUnavailableError where it does not answer, where no node can hold a trial, and where other
        machines would have to reach a database or a folder of this one.
        """
        where = f"at {self._options.address}" if self._options.address else "on this machine"
        if not self._started.wait(START_SECONDS if self._options.address is None else JOIN_SECONDS):
            raise ClusterUnavailableError(
                f"Ray {where} gave no answer. Check the address, and that RAY_AUTH_MODE and RAY_AUTH_TOKEN are those "
                "of the cluster."
            )
        if self._error is not None:
            raise ClusterUnavailableError(f"Ray cannot be started or reached {where}: {self._error}") from self._error
        import ray

        alive = [node for node in ray.nodes() if node["Alive"]]
        if any(node["NodeManagerHostname"] != socket.gethostname() for node in alive):
            _check_shared(settings)
        nodes = [node["Resources"] for node in alive]
        fitting: int = sum(
            min(math.floor(node.get(kind, 0) / need + 1e-9) for kind, need in resources.bundle.items())
            for node in nodes
        )
        if fitting == 0:
            most = ", ".join(f"{kind} {max(node.get(kind, 0) for node in nodes):g}" for kind in resources.bundle)
            raise ClusterUnavailableError(
                f"No node can hold a trial that asks for {resources.bundle}: the most that one has is {most}. "
                "Lower --cpus-per-trial or --gpus-per-trial."
            )
        return min(fitting, resources.max_concurrent or fitting)

    def _hold(self) -> None:
        """Start Ray, keep it, and end it, all in one thread: the kernel ends Ray's processes with that thread.

        Ray has them sent SIGTERM when their parent dies (PR_SET_PDEATHSIG), and Linux takes the parent to be the
        thread that started them. It is also why nothing of Ray outlives a driver that is killed.
        """
        # A short path of our own: sockets lie in it, and Ray would leave its logs in a shared folder for ever.
        with scratch_folder("ray") as folder:
            try:
                self._init(str(folder))
            except BaseException as error:  # noqa: BLE001 - told by `ready`; Ray also raises SystemExit
                self._error = error
            finally:
                self._started.set()
            self._leaving.wait()
            import ray

            ray.shutdown()

    def _init(self, folder: str) -> None:
        import ray

        if self._options.address is not None:
            _check_reachable(self._options.address)
        common: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
        if self._options.address is not None:
            ray.init(address=self._options.address, **common)
        else:
            context = ray.init(
                address="local",  # whatever RAY_ADDRESS says
                num_cpus=self._cpus,
                include_dashboard=self._options.dashboard,
                dashboard_host="127.0.0.1",
                dashboard_port=DASHBOARD_PORT,
                object_store_memory=OBJECT_STORE_BYTES,
                _temp_dir=folder,
                **common,
            )
            if self._options.dashboard:
                self.dashboard_url = f"http://{context.dashboard_url}"
        import ray._private.worker

        # Ray prints "(raylet) A worker died …" on stdout; it is on the run's record.
        ray._private.worker.print_to_stdstream = lambda *_, **__: None
        from ray import tune  # noqa: F401 - its import takes a second, better spent here


def _check_shared(settings: Settings) -> None:
    missing = [
        variable
        for variable, is_missing in (
            ("RLSWEEP_DATABASE_URL", settings.database_url is None),
            ("RLSWEEP_STORAGE", settings.storage == settings.home),
        )
        if is_missing
    ]
    if missing:
        raise ClusterUnavailableError(
            f"This cluster has nodes on other machines, which cannot reach {settings.home} here: set "
            f"{' and '.join(missing)} to a PostgreSQL server and a folder that all nodes reach."
        )


def _check_reachable(address: str) -> None:
    """Try the port first: Ray itself waits a minute for a cluster that is not there, and then ends the process.

    Raises OSError, or ValueError for a form of address that is not taken.
    """
    if "://" in address:
        raise ValueError("give the head node's host and port, such as 10.0.0.1:6379, or auto")
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdigit():
        return  # "auto", or a form that Ray itself answers at once
    with socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS):
        pass
