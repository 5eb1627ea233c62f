"""A Ray cluster of several nodes on this machine. Argument: nodes beside the head; a port, for a dashboard. Prints its
address.

Each line on standard input kills a node, as a power cut would, and starts another; the end of input ends the cluster.
"""

import random
import sys
from typing import Any

from ray.cluster_utils import Cluster


def main() -> None:
    rng = random.Random(0)
    head: dict[str, Any] = {"num_cpus": 1, "include_dashboard": len(sys.argv) > 2}
    if len(sys.argv) > 2:
        head |= {"dashboard_port": int(sys.argv[2]), "dashboard_host": "127.0.0.1", "dashboard_agent_listen_port": None}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    nodes = [cluster.add_node(num_cpus=1) for _ in range(int(sys.argv[1]))]
    print(cluster.address, flush=True)
    for _ in sys.stdin:
        cluster.remove_node(nodes.pop(rng.randrange(len(nodes))), allow_graceful=False)
        nodes.append(cluster.add_node(num_cpus=1))
        print("killed", flush=True)
    cluster.shutdown()


main()
