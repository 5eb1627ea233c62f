"""Environment family: classes that the user names as module:Class, such as blokus_rl:BlokusEnv."""

from typing import Any

import gymnasium as gym

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs.aec import is_aec, play
from rlsweep.envs.importing import find_named
from rlsweep.envs.single_agent import adapt
from rlsweep.errors import EnvironmentSpecError


def make(spec: EnvironmentSpec, *, seed: int) -> gym.Env[Any, Any]:
    """Call `module:Class` with `spec.kwargs`; it must return a Gymnasium Env or a PettingZoo AEC environment.

    Raises EnvironmentSpecError if the module or class is not found, its constructor fails, or it returns anything
    else.
    """
    constructor = find_named(spec.id, f"Environment {spec.id!r}")
    try:
        env = constructor(**spec.kwargs)
    except Exception as exc:
        raise EnvironmentSpecError(
            f"Environment {spec.id!r} cannot be made with kwargs {spec.kwargs}: {type(exc).__name__}: {exc}"
        ) from exc
    if is_aec(env):
        return play(env, spec, seed=seed)
    if isinstance(env, gym.Env):
        return adapt(env, spec, seed=seed)
    raise EnvironmentSpecError(
        f"Environment {spec.id!r} returns a {type(env).__name__}; it must return a Gymnasium Env or a PettingZoo AEC "
        f"environment."
    )
