"""Which actor of which Ray cluster trains a run: put on the run's record, looked up by a driver that comes later."""

import os

import ray

from rlsweep.cluster.ray_internals import actor_state
from rlsweep.runs import Actor, TrainingRun


def own_actor() -> Actor:
    """The actor that this process is."""
    context = ray.get_runtime_context()
    actor_id = context.get_actor_id()
    assert actor_id is not None
    return Actor(cluster=context.get_session_name(), id=actor_id, node=context.get_node_id(), pid=os.getpid())


def has_live_actor(run: TrainingRun) -> bool:
    """Whether this process's Ray cluster says that the actor which trains the run is alive.

    False for a run that another cluster trains, or no cluster at all, and where Ray has forgotten the actor: its state
    is unknown then.
    """
    if run.actor is None or run.actor.cluster != ray.get_runtime_context().get_session_name():
        return False
    return actor_state(run.actor.id) not in (None, "DEAD")
