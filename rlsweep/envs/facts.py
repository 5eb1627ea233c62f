"""What a user should know of an environment before and after training: for the plan, a run's head and its record."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rlsweep.envs.user_code import layers_of


def environment_facts(env: gym.Env[Any, Any], *, uses_masks: bool) -> dict[str, str]:
    """Return the facts of an environment of `make_env` that was reset.

    uses_masks: whether the algorithm uses action masks

    action_masks: where the masks are, if the algorithm uses them
    actions: how the policy's actions differ from the environment's own, if they do
    """
    facts = {}
    if uses_masks and env.has_wrapper_attr("mask_source"):
        facts["action_masks"] = str(env.get_wrapper_attr("mask_source"))
    first = next((layer.first_action for layer in layers_of(env) if hasattr(layer, "first_action")), None)
    if first is not None and np.any(first):
        facts["actions"] = _shift(first, env.action_space)
    return facts


def _shift(first: Any, space: spaces.Space[Any]) -> str:
    if isinstance(space, spaces.Discrete):
        last = int(space.n) - 1
        return f"0 to {last} of the policy are {first} to {first + last} of the environment"
    return f"begin at 0 in the policy; the environment gets {np.asarray(first).tolist()} added"
