"""A Ray cluster of several nodes on this machine. Argument: nodes beside the head; a port, for a dashboard. Prints its
address.

Each line on standard input kills a node, as a power cut would, and starts another; the end of input ends the cluster.
"""

import random
import sys
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from ray.cluster_utils import Cluster

STARTS = 5
"""How often a node is started that does not come up within Ray's 30 s, as on a busy machine."""

Made = TypeVar("Made")


def main() -> None:
    rng = random.Random(0)
    head: dict[str, Any] = {"num_cpus": 1, "include_dashboard": len(sys.argv) > 2}
    if len(sys.argv) > 2:
        head |= {"dashboard_port": int(sys.argv[2]), "dashboard_host": "127.0.0.1", "dashboard_agent_listen_port": None}
    cluster = started(lambda: Cluster(initialize_head=True, head_node_args=dict(head)))
    nodes = [started(lambda: cluster.add_node(num_cpus=1)) for _ in range(int(sys.argv[1]))]
    print(cluster.address, flush=True)
    for _ in sys.stdin:
        cluster.remove_node(nodes.pop(rng.randrange(len(nodes))), allow_graceful=False)
        nodes.append(started(lambda: cluster.add_node(num_cpus=1)))
        print("killed", flush=True)
    cluster.shutdown()


def started(start: Callable[[], Made]) -> Made:
    """What `start` gives once it succeeds; a node that came too late may stay beside."""
    for _ in range(STARTS):
        try:
            return start()
        except Exception:  # noqa: BLE001 - Ray raises Exception itself for a raylet that is late
            traceback.print_exc()
    raise SystemExit(f"no node came up in {STARTS} starts")


main()
