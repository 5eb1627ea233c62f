"""Environment family: classes that the user names as module:Class, such as blokus_rl:BlokusEnv."""

from typing import Any

import gymnasium as gym

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs.aec import is_aec, play
from rlsweep.envs.importing import find_named
from rlsweep.envs.single_agent import adapt
from rlsweep.envs.user_code import USER_ERRORS, cannot_be_made, place_of_function
from rlsweep.errors import EnvironmentSpecError, RlsweepError


def make(spec: EnvironmentSpec, *, seed: int) -> gym.Env[Any, Any]:
    """Call `module:Class` with `spec.kwargs`; it must return a Gymnasium Env or a PettingZoo AEC environment.

    Raises EnvironmentSpecError if the module or class is not found, its constructor fails, or it returns anything
    else.
    """
    constructor = find_named(spec.id, f"Environment {spec.id!r}")
    try:
        env = constructor(**spec.kwargs)
    except RlsweepError:
        raise
    except USER_ERRORS as exc:
        raise cannot_be_made(spec.id, spec.kwargs, exc, constructor) from exc
    if is_aec(env):
        return play(env, spec, seed=seed)
    if isinstance(env, gym.Env):
        return adapt(env, spec, seed=seed)
    raise EnvironmentSpecError(
        f"Environment {spec.id!r} returns a {type(env).__name__}; {_way_out(env)}{place_of_function(env, 'step')}."
    )


def _way_out(env: object) -> str:
    """What to do about an object that is no environment."""
    if any(base.__module__.partition(".")[0] == "gym" for base in type(env).__mro__):
        return "it is an environment of the old gym: derive it from gymnasium.Env"
    if isinstance(env, gym.vector.VectorEnv):
        return "it is a vector of environments: name the class of one, and set n_envs"
    if hasattr(env, "agent_iter"):
        return "it has no possible_agents: set self.possible_agents in __init__"
    if hasattr(env, "possible_agents"):
        return (
            "its agents act at the same time: convert it with pettingzoo.utils.parallel_to_aec, because it must return "
            "a Gymnasium Env or a PettingZoo AEC environment"
        )
    return "it must return a Gymnasium Env or a PettingZoo AEC environment"
