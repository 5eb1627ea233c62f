"""All private names of Ray that rlsweep uses, each behind a function.

Any release of Ray may change them. pyproject.toml bounds Ray's version, and tests/unit/cluster/test_ray_internals.py
reports a missing name. Private names of Tune are in tune_internals.py. Functions import Ray when they are called.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

_KEYS_NAMESPACE = b"rlsweep"

_PRELOADED = "preloaded/"
"""Start of the key of a worker that has imported its modules; its id follows."""

MAIN_LOOP_SECONDS = 5.0
"""After this time a worker is taken to have begun its main loop."""

ANNOUNCE_SECONDS = 0.1
"""Time for a worker's message to Ray that it takes work, at the start of its main loop."""

_JOB_CLIENT_LOGGERS = (
    "ray.dashboard.modules.dashboard_sdk",
    "ray.dashboard.modules.job.sdk",
    "ray._private.runtime_env.packaging",
)
"""Loggers that log each request."""

PRELOAD_VARIABLE = "RAY_preload_python_modules"
"""Modules that Ray's prestarted workers import, separated by commas."""

LIBRARY = "ray._raylet"
"""Ray's compiled module. When it is loaded, it reads RAY_JOB_ID and RAY_RAYLET_PID of its worker."""

WORKER_MODULE = "ray._private.workers.default_worker"
"""The script of a worker, which imports what it needs when it is imported as a module."""

REGISTER_SECONDS = 30.0
"""Time limit for a node that starts to register; Ray's own is as long."""

NO_JOB = {"RAY_JOB_ID": "ffffffff"}
"""The variable of a worker that belongs to no job until it gets a task, as prestarted ones do."""

NICENESS_VARIABLE = "RAY_worker_niceness"
"""Niceness of Ray's workers."""

FIRST_WORKERS_VARIABLE = "RAY_prestart_worker_first_driver"
"""Whether Ray starts a worker for each CPU as its first driver connects, which stands still until they are there."""

SET_BY_RAY = ("PYTHONBREAKPOINT", "RAY_CLIENT_MODE")
"""Environment variables that `ray.init` sets in its process; with the first one, `breakpoint()` needs Ray."""


def worker_script() -> str:
    """Return the path of the script that Ray starts as a worker; Ray is not imported for it."""
    package = find_spec("ray")
    assert package is not None
    assert package.origin is not None
    return str(Path(package.origin).parent.joinpath(*WORKER_MODULE.split(".")[1:]).with_suffix(".py"))


def start_local(
    folder: str, *, include_dashboard: bool, worker_path: str, agent_path: str | None, **options: Any
) -> Any:
    """Start a Ray on this machine, regardless of RAY_ADDRESS; return `ray.init`'s context.

    folder: folder for Ray's sockets and logs; `ray.init` has no public option for it
    include_dashboard: start the dashboard. Without it, no log monitor, autoscaler or API server is started either:
        nothing uses them, and they take as much CPU time as the rest of Ray's start
    worker_path: script that Ray starts as a worker, in place of its own
    agent_path: script that Ray starts as an agent where it has no dashboard, in place of its own; None for its own
    options: other options of `ray.init`
    """
    import ray

    agent = None if include_dashboard else agent_path
    with started_otherwise(include_dashboard=include_dashboard, worker_path=worker_path, agent_path=agent):
        return ray.init(address="local", _temp_dir=folder, include_dashboard=include_dashboard, **options)


@contextmanager
def started_otherwise(*, include_dashboard: bool, worker_path: str, agent_path: str | None = None) -> Iterator[None]:
    """Make `ray.init` start workers and agents by other scripts and, without a dashboard, none of its helpers.

    It has no options for them: the log monitor, the autoscaler and the API server. The script of an agent gets the
    agent's name, then the path of Ray's own script and its arguments.
    """
    from ray._private import parameter, services
    from ray._private.node import Node

    parameters: Any = parameter.RayParams
    fewer = {} if include_dashboard else {"include_log_monitor": False, "no_monitor": True}
    changes: list[tuple[Any, str, Any]] = [
        (parameter, "RayParams", partial(parameters, worker_path=worker_path, **fewer)),
        (services, "get_node", partial(_get_node_at_once, services.get_node)),
    ]
    if not include_dashboard:
        changes.append((Node, "start_api_server", lambda _node, **_options: None))
    if agent_path is not None:
        changes += _other_agents(agent_path)
    before = [getattr(owner, name) for owner, name, _ in changes]
    for owner, name, changed in changes:
        setattr(owner, name, changed)
    try:
        yield
    finally:
        for (owner, name, _), original in zip(changes, before, strict=True):
            setattr(owner, name, original)


def _other_agents(agent_path: str) -> list[tuple[Any, str, Any]]:
    """What is changed so that the script is started as an agent: owner, name, new value."""
    from ray._private import services, utils

    def agent_command(agent: str, session_folder: str, unbuffered: bool = True) -> list[str]:
        del session_folder, unbuffered
        return [sys.executable, "-I", "-S", agent_path, agent]

    return [
        (services, "_build_python_executable_command_memory_profileable", agent_command),
        # it is asked on behalf of Ray's own agent, and imports what that would need, which takes half a second
        (utils, "get_dashboard_dependency_error", lambda: None),
    ]


def _get_node_at_once(get_node: Callable[[str, str], Any], gcs_address: str, node_id: str) -> Any:
    """What `get_node` returns, as soon as the node is registered; by itself it looks once a second."""
    from ray._raylet import GcsClient  # type: ignore[attr-defined]

    client = GcsClient(address=gcs_address)
    deadline = time.monotonic() + REGISTER_SECONDS
    while not client.get_all_node_info(timeout=REGISTER_SECONDS) and time.monotonic() < deadline:
        time.sleep(0.01)
    return get_node(gcs_address, node_id)


@contextmanager
def unseeded_ids() -> Iterator[None]:
    """Leave Ray's generator of ids unused while the context lasts, in which classes may become actors.

    It is seeded at its first use, and all processes that are forked after that draw the same ids. Two workers that
    connect at the same time with the same ids harm each other: one dies, and Ray's first driver waits for it for ever.
    """
    import ray.actor

    actor: Any = ray.actor
    kind = actor.ActorClassID
    actor.ActorClassID = SimpleNamespace(from_random=lambda: kind(os.urandom(kind.size())))
    try:
        yield
    finally:
        actor.ActorClassID = kind


def usable_cpus() -> float:
    """Ray's count of this machine's CPUs, within the limits of a container."""
    from ray._private.utils import get_num_cpus

    return float(get_num_cpus())


@contextmanager
def silent_workers() -> Iterator[None]:
    """Stop Ray from printing "(raylet) A worker died …" on stdout in this process while the context lasts."""
    from ray._private import worker

    before = worker.print_to_stdstream
    worker.print_to_stdstream = lambda *_, **__: None
    try:
        yield
    finally:
        worker.print_to_stdstream = before


def forbid_auto_connect() -> None:
    """Make Ray's functions fail in this process while it has no Ray, from now on.

    By default they join any cluster that they find. A Tune thread may outlive its sweep's Ray, and its next call would
    join another Ray of this machine.
    """
    from ray._private import auto_init_hook

    auto_init_hook.enable_auto_connect = False


def reread_authentication() -> None:
    """Read RAY_AUTH_MODE and its token again; otherwise Ray keeps the values found at its import."""
    from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

    Config.initialize("")  # first: otherwise a running thread of Ray could look for a token that does not exist
    AuthenticationTokenLoader.instance().reset_cache()


def ask_cluster_id(address: str, *, timeout: float) -> None:
    """Request the cluster's id from the head at host:port, with the token that Ray would send.

    Raises grpc.RpcError if no head of this Ray version answers within `timeout` seconds or it refuses the token, and
    ray.exceptions.AuthenticationError if token authentication is on and there is no token.
    """
    from ray._private.grpc_utils import init_grpc_channel
    from ray.core.generated import gcs_service_pb2, gcs_service_pb2_grpc

    with init_grpc_channel(address) as channel:
        stub = gcs_service_pb2_grpc.NodeInfoGcsServiceStub(channel)
        stub.GetClusterId(gcs_service_pb2.GetClusterIdRequest(), timeout=timeout)


def start_python_workers(node: dict[str, Any], count: int, *, keep_seconds: int, timeout: float) -> None:
    """Start `count` idle Python workers on a node, and keep them for `keep_seconds`.

    node: one of `ray.nodes()`
    Raises grpc.RpcError if the node does not answer within `timeout` seconds.
    """
    from ray._private.grpc_utils import init_grpc_channel
    from ray.core.generated import common_pb2, node_manager_pb2, node_manager_pb2_grpc

    request = node_manager_pb2.PrestartWorkersRequest(
        language=common_pb2.Language.Value("PYTHON"), num_workers=count, keep_alive_duration_secs=keep_seconds
    )
    with init_grpc_channel(f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}") as channel:
        node_manager_pb2_grpc.NodeManagerServiceStub(channel).PrestartWorkers(request, timeout=timeout)


def report_preloaded() -> None:
    """Record that this worker has imported its modules, as soon as it takes an actor; do nothing without Ray.

    It takes one a moment after the imports, in its main loop, and on a busy machine the moment is long. For an actor
    that comes before, Ray starts another worker, which imports the same.
    """
    import ray

    if ray.is_initialized():
        key = _PRELOADED + ray.get_runtime_context().get_worker_id()
        threading.Thread(target=_set_in_main_loop, args=(key,), name="report preloaded", daemon=True).start()


def _set_in_main_loop(key: str) -> None:
    deadline = time.monotonic() + MAIN_LOOP_SECONDS
    while not _is_in_main_loop() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(ANNOUNCE_SECONDS)
    set_key(key)


def _is_in_main_loop() -> bool:
    """Whether the main thread is in `Worker.main_loop`, or in what it calls."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame is not None and frame.f_code.co_name != "main_loop":
        frame = frame.f_back
    return frame is not None


def preloaded_workers() -> int:
    """Return how many workers of the connected Ray are alive and have called `report_preloaded`."""
    from ray._private import state
    from ray.experimental import internal_kv

    keys = internal_kv._internal_kv_list(_PRELOADED.encode(), namespace=_KEYS_NAMESPACE)
    ready = {key.decode().removeprefix(_PRELOADED) for key in keys}
    return len(state.workers().keys() & ready)


def idle_workers() -> int:
    """Return how many workers of the connected Ray on this machine wait for their first actor, or import for it.

    A worker ends with its actor, at once or a moment later.
    """
    from ray._private import state

    busy = sum(psutil.pid_exists(actor["Pid"]) for actor in state.actors().values() if actor["Pid"])
    return max(0, len(state.workers()) - busy)


def token_headers() -> dict[str, str]:
    """Return the HTTP headers with the token that Ray would send; none if token authentication is off.

    Raises ray.exceptions.AuthenticationError if it is on and there is no token.
    """
    from ray._private.authentication.http_token_authentication import get_auth_headers_if_auth_enabled

    return dict(get_auth_headers_if_auth_enabled({}))


def actor_state(actor_id: str) -> str | None:
    """Return the state of an actor of the connected cluster, such as `ALIVE` or `DEAD`; None if Ray has no record.

    It reads the table of actors in Ray's GCS, which works without a dashboard.
    """
    from ray._private import state

    actor = state.actors(actor_id)
    return str(actor["State"]) if actor else None


def set_key(key: str) -> None:
    """Put a key into the key-value store of the connected cluster."""
    from ray.experimental import internal_kv

    internal_kv._internal_kv_put(key.encode(), b"1", namespace=_KEYS_NAMESPACE)


def delete_key(key: str) -> None:
    """Delete a key of `set_key`, if it exists."""
    from ray.experimental import internal_kv

    internal_kv._internal_kv_del(key.encode(), namespace=_KEYS_NAMESPACE)


def has_key(key: str) -> bool:
    """Whether a key of `set_key` exists. A check takes less than 1 ms."""
    from ray.experimental import internal_kv

    return internal_kv._internal_kv_get(key.encode(), namespace=_KEYS_NAMESPACE) is not None


def limit_requests(client: "JobSubmissionClient", *, timeout: float) -> None:
    """Set a timeout in seconds for each request of the client; by default a request waits forever."""
    client._do_request = partial(client._do_request, timeout=timeout)  # type: ignore[method-assign]


def silence_job_client() -> None:
    """Stop Ray's job client from logging each request."""
    for name in _JOB_CLIENT_LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
