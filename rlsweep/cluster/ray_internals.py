"""Every name of Ray's that is not public, each behind a function of ours.

Any release of Ray may change them. pyproject.toml bounds Ray's version, and tests/unit/cluster/test_ray_internals.py
says which name is gone. Tune's are in tune_internals.py. Functions import Ray when they are called.
"""

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

_KEYS_NAMESPACE = b"rlsweep"

_JOB_CLIENT_LOGGERS = (
    "ray.dashboard.modules.dashboard_sdk",
    "ray.dashboard.modules.job.sdk",
    "ray._private.runtime_env.packaging",
)
"""Loggers that write a line for each request."""

PRELOAD_VARIABLE = "RAY_preload_python_modules"
"""The modules that Ray's prestarted workers import, separated by commas."""

NICENESS_VARIABLE = "RAY_worker_niceness"
"""The niceness of Ray's workers."""


def start_local(folder: str, **options: Any) -> Any:
    """Start a Ray on this machine, whatever RAY_ADDRESS says; return `ray.init`'s context.

    folder: where Ray keeps sockets and logs; `ray.init` has no public option for it
    options: of `ray.init`
    """
    import ray

    return ray.init(address="local", _temp_dir=folder, **options)


def usable_cpus() -> float:
    """Ray's count of this machine's CPUs, within the limits of a container."""
    from ray._private.utils import get_num_cpus

    return float(get_num_cpus())


def silence_worker_messages() -> None:
    """Keep Ray from printing "(raylet) A worker died …" on stdout in this process."""
    import ray._private.worker

    ray._private.worker.print_to_stdstream = lambda *_, **__: None


def ask_cluster_id(address: str, *, timeout: float) -> None:
    """Ask the head at host:port for its cluster's id, with the token that Ray would send.

    Raises grpc.RpcError where no head of this Ray version answers within `timeout` seconds or where it refuses the
    token, and ray.exceptions.AuthenticationError where token authentication is on and no token is found.
    """
    from ray._private.grpc_utils import init_grpc_channel
    from ray.core.generated import gcs_service_pb2, gcs_service_pb2_grpc

    with init_grpc_channel(address) as channel:
        stub = gcs_service_pb2_grpc.NodeInfoGcsServiceStub(channel)
        stub.GetClusterId(gcs_service_pb2.GetClusterIdRequest(), timeout=timeout)


def start_python_workers(node: dict[str, Any], count: int, *, keep_seconds: int, timeout: float) -> None:
    """Have a node start `count` idle Python workers, and keep them for `keep_seconds`.

    node: one of `ray.nodes()`
    Raises grpc.RpcError where the node does not answer within `timeout` seconds.
    """
    from ray._private.grpc_utils import init_grpc_channel
    from ray.core.generated import common_pb2, node_manager_pb2, node_manager_pb2_grpc

    request = node_manager_pb2.PrestartWorkersRequest(
        language=common_pb2.Language.Value("PYTHON"), num_workers=count, keep_alive_duration_secs=keep_seconds
    )
    with init_grpc_channel(f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}") as channel:
        node_manager_pb2_grpc.NodeManagerServiceStub(channel).PrestartWorkers(request, timeout=timeout)


def token_headers() -> dict[str, str]:
    """Give the HTTP headers with the token that Ray would send; none where token authentication is off.

    Raises ray.exceptions.AuthenticationError where it is on and no token is found.
    """
    from ray._private.authentication.http_token_authentication import get_auth_headers_if_auth_enabled

    return dict(get_auth_headers_if_auth_enabled({}))


def actor_state(actor_id: str) -> str | None:
    """Give the state of an actor of the connected cluster, such as `ALIVE` or `DEAD`; None where Ray has no record.

    It asks the table of actors in Ray's GCS, which needs no dashboard.
    """
    from ray._private import state

    actor = state.actors(actor_id)
    return str(actor["State"]) if actor else None


def set_key(key: str) -> None:
    """Put a key into the key-value store of the connected cluster."""
    from ray.experimental import internal_kv

    internal_kv._internal_kv_put(key.encode(), b"1", namespace=_KEYS_NAMESPACE)


def delete_key(key: str) -> None:
    """Delete a key of `set_key`, if it is there."""
    from ray.experimental import internal_kv

    internal_kv._internal_kv_del(key.encode(), namespace=_KEYS_NAMESPACE)


def has_key(key: str) -> bool:
    """Whether `set_key` put the key there and nobody deleted it. A look costs less than 1 ms."""
    from ray.experimental import internal_kv

    return internal_kv._internal_kv_get(key.encode(), namespace=_KEYS_NAMESPACE) is not None


def limit_requests(client: "JobSubmissionClient", *, timeout: float) -> None:
    """Have each request of the client give up after `timeout` seconds of silence; without it, a request never does."""
    client._do_request = partial(client._do_request, timeout=timeout)  # type: ignore[method-assign]


def silence_job_client() -> None:
    """Keep Ray's job client from logging each request."""
    for name in _JOB_CLIENT_LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
