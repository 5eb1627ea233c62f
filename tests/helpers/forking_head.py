"""`ray start`, whose workers are forked as those of a local Ray are: most tests that share a head start dozens.

Arguments: a folder for the fork server, then those of `ray start`. Workers that import everything themselves, as those
of any other cluster, are in the tests of jobs and of hosts.
"""

import sys
from importlib import import_module
from pathlib import Path

from rlsweep.cluster import fork_client
from rlsweep.cluster.fork_server import fork_server
from rlsweep.cluster.ray_internals import started_otherwise, worker_script
from rlsweep.cluster.session import RayOptions


def main(folder: str, *arguments: str) -> None:
    options = RayOptions()
    with fork_server(
        Path(folder), before_ray=options.preload, with_ray=options.preload_with_ray, worker=worker_script()
    ):
        scripts = import_module("ray.scripts.scripts")
        with started_otherwise(include_dashboard=True, worker_path=fork_client.__file__):
            sys.argv = ["ray", "start", *arguments]
            scripts.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
