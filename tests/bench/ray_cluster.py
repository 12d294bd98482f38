"""A Ray cluster of three machines with a processor each, all of them this one. Prints its address;
"kill" on standard input ends one of them at once, the end of standard input all."""

import sys

from ray.cluster_utils import Cluster

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
others = [cluster.add_node(num_cpus=1) for _ in range(2)]
cluster.wait_for_nodes()
print(cluster.address, flush=True)
for line in sys.stdin:
    if line.strip() == "kill":
        cluster.remove_node(others.pop(), allow_graceful=False)
        print("killed", flush=True)
cluster.shutdown()
