"""Environment family: registered Gymnasium ids such as CartPole-v1, or module:Id-v0 if a module registers it."""

import copy
import re
from typing import Any

import gymnasium as gym

from rlsweep.config.known_environments import package_advice
from rlsweep.config.nearest import nearest
from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs.importing import import_named
from rlsweep.envs.single_agent import adapt
from rlsweep.envs.user_code import USER_ERRORS, cannot_be_made, place_of
from rlsweep.errors import EnvironmentSpecError

_VERSION = re.compile(r"-v\d+$")


def make(spec: EnvironmentSpec, *, seed: int) -> gym.Env[Any, Any]:
    """Make a registered environment without Gymnasium's checking wrappers, which cost time at every step.

    Raises EnvironmentSpecError for an id that is not registered, a missing dependency, wrong kwargs, or a constructor
    that fails.
    """
    module, _, name = spec.id.rpartition(":")
    if module:
        import_named(module, f"Environment {spec.id!r}")
    try:
        unchecked = copy.deepcopy(gym.spec(name))
    except gym.error.Error as exc:
        raise EnvironmentSpecError(_not_registered(spec.id)) from exc
    unchecked.order_enforce = False
    try:
        env = gym.make(unchecked, disable_env_checker=True, **spec.kwargs)
    except (gym.error.Error, ImportError) as exc:
        newest = _newest_version(name)
        way_out = "" if newest in (None, name) else f" (the newest version of its name is {newest})"
        raise EnvironmentSpecError(
            f"Environment {spec.id!r} cannot be made here{way_out}: {exc}{place_of(exc)}"
        ) from exc
    except USER_ERRORS as exc:
        raise cannot_be_made(spec.id, spec.kwargs, exc) from exc
    return adapt(env, spec, seed=seed)


def _not_registered(environment_id: str) -> str:
    """What is wrong with an id that is not registered, and the ways out."""
    module, colon, name = environment_id.rpartition(":")
    what = f"Environment {environment_id!r} is not a registered Gymnasium id"
    if (newest := _newest_version(name)) is not None:
        return f"{what}; did you mean {module}{colon}{newest}?"
    if not module and (advice := package_advice(name)) is not None:
        return f"{what}: {advice}"
    near = nearest(name, gym.registry)
    hint = "." if near is None else f"; did you mean {module}{colon}{near}?"
    way = "Other" if module else f"If importing a module registers it, write <module>:{name}; other"
    return f"{what}{hint} {way} families are <module>:<Class>, open_spiel/<game> and pettingzoo/<module>."


def _newest_version(name: str) -> str | None:
    """The registered id of this name, of any case, with the highest version; None if there is none."""
    stem = _VERSION.sub("", name).lower()
    versions = [each for each in gym.registry if _VERSION.sub("", each).lower() == stem]
    return max(versions, key=lambda each: gym.spec(each).version or 0, default=None)
