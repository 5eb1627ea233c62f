"""Ray for one run by itself: enough of it for the run's env runners and learners."""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rlsweep.cluster.address import Reach, read_address
from rlsweep.cluster.session import RayOptions, RaySession
from rlsweep.config.rllib import bundles
from rlsweep.config.training import TrainingConfig
from rlsweep.errors import InputError


@contextmanager
def ray_for_run(training: TrainingConfig, *, address: str | None) -> Iterator[None]:
    """Ray while the context lasts, where the run's backend needs it.

    A local one is told of as many CPUs as the run asks for, though the machine may have fewer. Raises
    UnreachableError where Ray cannot be had, InputError where it cannot hold the run's processes and for an address
    that no one would use.
    """
    if training.backend != "rllib":
        if address is not None:
            raise InputError(
                f"--address {address} is for runs with backend: rllib; this one has backend: sb3, which trains in this "
                "process."
            )
        yield
        return
    where = read_address(address)
    if where is not None and where.reach is Reach.JOBS:
        raise InputError(
            f"{where.text}: a single run is driven by this process, which has to be on a node of the cluster. Run it "
            "there, with --address auto."
        )
    cpus = max(os.cpu_count() or 1, sum(bundle == {"CPU": 1.0} for bundle in bundles(training)))
    with RaySession(RayOptions(address=None if where is None else where.text or None, cpus=cpus)) as session:
        session.ready()
        check_room(training, session.nodes())
        yield


def check_room(training: TrainingConfig, nodes: Sequence[Mapping[str, float]]) -> None:
    """Raise InputError unless nodes that have so much of each resource can hold the run's processes."""
    needed = bundles(training)
    for kind in ("CPU", "GPU"):
        sizes = [bundle[kind] for bundle in needed if kind in bundle]
        room = sum(math.floor(node.get(kind, 0) / sizes[0] + 1e-9) for node in nodes) if sizes else 0
        if room < len(sizes):
            raise InputError(
                f"The run's env runners and learners ask for {len(sizes)} × {kind} {sizes[0]:g}, and Ray has room for "
                f"{room}: lower rllib.env_runners, rllib.learners or rllib.gpus_per_learner."
            )
