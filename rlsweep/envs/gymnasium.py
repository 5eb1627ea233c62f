"""Environment family: registered Gymnasium ids such as CartPole-v1, or module:Id-v0 if a module registers it."""

import copy
from typing import Any

import gymnasium as gym

from rlsweep.config.nearest import suggestion
from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs.importing import import_named
from rlsweep.envs.single_agent import adapt
from rlsweep.errors import EnvironmentSpecError


def make(spec: EnvironmentSpec, *, seed: int) -> gym.Env[Any, Any]:
    """Make a registered environment without Gymnasium's checking wrappers, which cost time at every step.

    Raises EnvironmentSpecError for an id that is not registered, a missing dependency, wrong kwargs, or a constructor
    that fails.
    """
    module, _, name = spec.id.rpartition(":")
    if module:
        import_named(module, spec.id)
    try:
        unchecked = copy.deepcopy(gym.spec(name))
    except gym.error.Error as exc:
        raise EnvironmentSpecError(
            f"Environment {spec.id!r} is not a registered Gymnasium id{suggestion(name, gym.registry) or '.'} "
            f"Ids of other families have the form <module>:<Class>, open_spiel/<game> or pettingzoo/<module>."
        ) from exc
    unchecked.order_enforce = False
    try:
        env = gym.make(unchecked, disable_env_checker=True, **spec.kwargs)
    except (gym.error.Error, ImportError) as exc:
        raise EnvironmentSpecError(f"Environment {spec.id!r} cannot be made here: {exc}") from exc
    except Exception as exc:
        raise EnvironmentSpecError(
            f"Environment {spec.id!r} cannot be made with kwargs {spec.kwargs}: {type(exc).__name__}: {exc}"
        ) from exc
    return adapt(env, spec, seed=seed)
