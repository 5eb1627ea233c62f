"""Ray for one run by itself: enough of it for the run's env runners and learners."""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rlsweep.config.rllib import bundles
from rlsweep.config.training import TrainingConfig
from rlsweep.errors import ClusterUnavailableError, InputError
from rlsweep.settings import Settings
from rlsweep.sweep.cluster import RayOptions, RaySession
from rlsweep.sweep.resources import Resources


@contextmanager
def ray_for_run(training: TrainingConfig, *, address: str | None, settings: Settings) -> Iterator[None]:
    """Ray while the context lasts, where the run's backend needs it.

    A local one is told of as many CPUs as the run asks for, though the machine may have fewer. Raises
    ClusterUnavailableError where Ray cannot be had or cannot hold the run's processes, InputError for an address that
    no one would use.
    """
    if training.backend != "rllib":
        if address is not None:
            raise InputError(
                f"--address {address} is for runs with backend: rllib; this one has backend: sb3, which trains in this "
                "process."
            )
        yield
        return
    needed = bundles(training)
    cpus = max(os.cpu_count() or 1, sum(bundle == {"CPU": 1.0} for bundle in needed))
    with RaySession(RayOptions(address=address), cpus=cpus) as session:
        session.ready(Resources(), settings)
        import ray

        check_room(training, [node["Resources"] for node in ray.nodes() if node["Alive"]])
        yield


def check_room(training: TrainingConfig, nodes: Sequence[Mapping[str, float]]) -> None:
    """Raise ClusterUnavailableError unless nodes that have so much of each resource can hold the run's processes."""
    needed = bundles(training)
    for kind in ("CPU", "GPU"):
        sizes = [bundle[kind] for bundle in needed if kind in bundle]
        room = sum(math.floor(node.get(kind, 0) / sizes[0] + 1e-9) for node in nodes) if sizes else 0
        if room < len(sizes):
            raise ClusterUnavailableError(
                f"The run's env runners and learners ask for {len(sizes)} × {kind} {sizes[0]:g}, and Ray has room for "
                f"{room}: lower rllib.env_runners, rllib.learners or rllib.gpus_per_learner."
            )
