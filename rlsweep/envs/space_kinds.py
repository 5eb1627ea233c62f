"""Which observation and action spaces can be trained, and what to do about the others."""

from typing import Any

from gymnasium import spaces

from rlsweep.envs.user_code import place_of_function
from rlsweep.errors import EnvironmentSpecError

ACTIONS = "Box, Discrete, MultiDiscrete or MultiBinary"
OBSERVATIONS = f"{ACTIONS.replace(' or ', ', ')}, Dict or Tuple"


def check_spaces(env: Any, env_id: str) -> None:
    """Raise EnvironmentSpecError if a space is missing, is no Gymnasium space, or is of a kind that cannot be learned.

    Whether a Dict or Tuple can be flattened is for the Flattener to say.
    """
    observations = check_is_space(env, "observation_space", env_id)
    actions = check_is_space(env, "action_space", env_id)
    if not isinstance(actions, spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary):
        raise EnvironmentSpecError(
            f"Environment {env_id!r} has {type(actions).__name__} actions, which no algorithm here can learn; make "
            f"them one {ACTIONS}, for example in a gymnasium.ActionWrapper."
        )
    if (isinstance(actions, spaces.MultiDiscrete) and actions.nvec.ndim != 1) or (
        isinstance(actions, spaces.MultiBinary) and not isinstance(actions.n, int)
    ):
        raise EnvironmentSpecError(
            f"Environment {env_id!r} has actions of the shape {actions.shape}; {type(actions).__name__} actions must "
            f"be flat, so reshape them in a gymnasium.ActionWrapper."
        )
    flattenable = spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary, spaces.Dict, spaces.Tuple
    if not isinstance(observations, flattenable):
        raise EnvironmentSpecError(
            f"Environment {env_id!r}: a {type(observations).__name__} observation has no fixed number of values; make "
            f"it one of {OBSERVATIONS}, for example in a gymnasium.ObservationWrapper."
        )


def check_is_space(env: Any, name: str, env_id: str) -> spaces.Space[Any]:
    """Return the space `name` of an environment; raise EnvironmentSpecError if it is missing or no Gymnasium space."""
    space = getattr(env, name, None)
    if isinstance(space, spaces.Space):
        return space
    place = place_of_function(env, "__init__") or place_of_function(env, "reset")
    if space is None:
        raise EnvironmentSpecError(
            f"Environment {env_id!r} has no {name}{place}; set self.{name} in __init__ to a space of gymnasium.spaces."
        )
    kind = f"{type(space).__module__}.{type(space).__name__}"
    raise EnvironmentSpecError(
        f"Environment {env_id!r}: its {name} is a {kind}{place}; it must be a space of gymnasium.spaces."
    )
