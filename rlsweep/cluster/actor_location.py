"""The Ray actor that trains a run; it is recorded with the run, so that another driver can check if it is alive."""

import os

import ray

from rlsweep.cluster.ray_internals import actor_state
from rlsweep.runs import Actor, TrainingRun


def own_actor() -> Actor:
    """Return the actor of this process."""
    context = ray.get_runtime_context()
    actor_id = context.get_actor_id()
    assert actor_id is not None
    return Actor(cluster=context.get_session_name(), id=actor_id, node=context.get_node_id(), pid=os.getpid())


def has_live_actor(run: TrainingRun) -> bool:
    """Whether this process's Ray cluster reports that the run's actor is alive.

    False if the run has no actor, its actor belongs to another cluster, or Ray has no record of it; its state is then
    unknown.
    """
    if run.actor is None or run.actor.cluster != ray.get_runtime_context().get_session_name():
        return False
    return actor_state(run.actor.id) not in (None, "DEAD")
