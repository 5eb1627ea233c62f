"""Start Ray's workers before a sweep needs them, with torch and the trainer imported."""

import logging

import grpc
import ray

from rlsweep.cluster.ray_internals import idle_workers, start_python_workers

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0
KEPT_SECONDS = 10**9


def prestart_workers() -> int:
    """See to one idle worker per CPU on this machine's Ray; return how many were missing, and start now.

    Ray does not reuse workers: a worker ends with its actor, and one that has run a task takes no actor. Without idle
    workers, the first trials take seconds longer to import; so an error here is only logged.
    """
    (node,) = [node for node in ray.nodes() if node["Alive"]]
    missing = int(node["Resources"].get("CPU", 0)) - idle_workers()
    if missing <= 0:
        return 0
    try:
        start_python_workers(node, missing, keep_seconds=KEPT_SECONDS, timeout=ANSWER_SECONDS)
    except grpc.RpcError as error:
        logger.warning("workers of the next sweep are not started ahead: %s", error.code())
        return 0
    return missing
