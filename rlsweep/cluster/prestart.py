"""Workers that Ray starts before a sweep asks for them, with torch and the trainer imported."""

import logging

import grpc
import ray

from rlsweep.cluster.ray_internals import start_python_workers

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
    try:
        start_python_workers(node, count, keep_seconds=KEPT_SECONDS, timeout=ANSWER_SECONDS)
    except grpc.RpcError as error:
        logger.warning("the next sweep's workers start cold: %s", error.code())
