"""Start or join Ray for a single run with env runners and learners."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rlsweep.cluster.address import Reach, read_address
from rlsweep.cluster.session import RayOptions, RaySession
from rlsweep.config.rllib import bundles
from rlsweep.config.training import TrainingConfig
from rlsweep.errors import InputError


@contextmanager
def ray_for_run(training: TrainingConfig, *, address: str | None) -> Iterator[None]:
    """Provide Ray while the context lasts, if the run's backend needs it.

    A local Ray gets as many CPUs as the run requests, even if the machine has fewer: it starts a worker, which imports
    torch, for each of them. Raises UnreachableError if Ray cannot be reached, InputError if it has too little room for
    the run's processes or the run cannot use the address.
    """
    if training.backend != "rllib":
        if address is not None:
            raise InputError(
                f"--address {address} needs backend: rllib; this run has backend: sb3, which trains in this process. "
                "Remove --address."
            )
        yield
        return
    where = read_address(address)
    if where is not None and where.reach is Reach.JOBS:
        raise InputError(
            f"{where.text}: rlsweep train must run on a node of the cluster. Run it there, with --address auto."
        )
    cpus = sum(bundle == {"CPU": 1.0} for bundle in bundles(training))
    ray = RayOptions(
        address=None if where is None else where.text or None, cpus=cpus, preload_with_ray=("rlsweep.rllib.runners",)
    )
    with RaySession(ray) as session:
        session.ready()
        check_room(training, session.nodes())
        yield


def check_room(training: TrainingConfig, nodes: Sequence[Mapping[str, float]]) -> None:
    """Raise InputError unless nodes with these resources have room for the run's processes."""
    needed = bundles(training)
    for kind in ("CPU", "GPU"):
        sizes = [bundle[kind] for bundle in needed if kind in bundle]
        room = sum(math.floor(node.get(kind, 0) / sizes[0] + 1e-9) for node in nodes) if sizes else 0
        if room < len(sizes):
            raise InputError(
                f"The run's env runners and learners request {len(sizes)} × {kind} {sizes[0]:g}, but Ray has room for "
                f"{room}. Lower rllib.env_runners, rllib.learners or rllib.gpus_per_learner."
            )
