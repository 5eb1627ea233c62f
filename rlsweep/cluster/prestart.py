"""Workers that stand ready: started before anybody asks, with torch and the trainer imported."""

import logging

import grpc
import ray
from ray._private.grpc_utils import init_grpc_channel
from ray.core.generated import common_pb2, node_manager_pb2, node_manager_pb2_grpc

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0
KEPT_SECONDS = 10**9


def prestart_workers() -> None:
    """Have a worker per CPU ready on this machine's Ray, as Ray does by itself, but once: before its first driver.

    A worker that has held an actor ends with it, and one that has run a task takes no actor. Without ready ones a first
    trial imports for seconds; nothing else is lost, so what goes wrong here is only logged.
    """
    (node,) = [node for node in ray.nodes() if node["Alive"]]
    count = int(node["Resources"].get("CPU", 0))
    request = node_manager_pb2.PrestartWorkersRequest(
        language=common_pb2.Language.Value("PYTHON"), num_workers=count, keep_alive_duration_secs=KEPT_SECONDS
    )
    try:
        with init_grpc_channel(f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}") as channel:
            node_manager_pb2_grpc.NodeManagerServiceStub(channel).PrestartWorkers(request, timeout=ANSWER_SECONDS)
    except grpc.RpcError as error:
        logger.warning("the next sweep's workers start cold: %s", error.code())
