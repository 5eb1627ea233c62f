"""A Ray cluster of several nodes on this machine. Argument: nodes beside the head. Prints its address.

Each line on standard input kills a node, as a power cut would, and starts another; the end of input ends the cluster.
"""

import random
import sys

from ray.cluster_utils import Cluster


def main() -> None:
    rng = random.Random(0)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    nodes = [cluster.add_node(num_cpus=1) for _ in range(int(sys.argv[1]))]
    print(cluster.address, flush=True)
    for _ in sys.stdin:
        cluster.remove_node(nodes.pop(rng.randrange(len(nodes))), allow_graceful=False)
        nodes.append(cluster.add_node(num_cpus=1))
        print("killed", flush=True)
    cluster.shutdown()


main()
