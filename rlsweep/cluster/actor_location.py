"""Which actor of which Ray cluster trains a run: noted on the run's record, looked up by a driver that comes later."""

import os
from typing import Any

import ray

from rlsweep.cluster.ray_internals import actor_state
from rlsweep.runs import TrainingRun

KEY = "ray"
"""Of the note in a run's metadata."""


def own_location() -> dict[str, Any]:
    """What an actor notes of itself: cluster (its session's name, unique), actor and node (ids), and process id."""
    context = ray.get_runtime_context()
    return {
        "cluster": context.get_session_name(),
        "actor": context.get_actor_id(),
        "node": context.get_node_id(),
        "pid": os.getpid(),
    }


def has_live_actor(run: TrainingRun) -> bool:
    """Whether this process's Ray cluster says that the actor which trains the run is there.

    False for a run that another cluster trains, or no cluster at all, and where Ray has forgotten the actor: nothing
    can be said of it then.
    """
    noted = run.metadata.get(KEY)
    if noted is None or noted["cluster"] != ray.get_runtime_context().get_session_name():
        return False
    return actor_state(noted["actor"]) not in (None, "DEAD")
