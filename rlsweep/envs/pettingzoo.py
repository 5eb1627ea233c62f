"""Environment family: PettingZoo's own environments, such as pettingzoo/connect_four_v3."""

from typing import Any

import gymnasium as gym
import pettingzoo
from pettingzoo.utils import wrappers

from rlsweep.config.nearest import suggestion
from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs.aec import play
from rlsweep.envs.user_code import USER_ERRORS, cannot_be_made
from rlsweep.errors import EnvironmentSpecError

PREFIX = "pettingzoo/"


def make(spec: EnvironmentSpec, *, seed: int) -> gym.Env[Any, Any]:
    """Make `pettingzoo/<module>` from any of PettingZoo's collections, or `pettingzoo/<collection>.<module>`.

    Raises EnvironmentSpecError for an unknown module, a missing dependency, or wrong kwargs.
    """
    module = spec.id.removeprefix(PREFIX).replace("/", ".")
    # PettingZoo registers classic.connect_four_v3 as classic/connect_four-v3.
    ids = {key.replace("/", ".").replace("-v", "_v"): key for key in pettingzoo.aec_registry}
    ids |= {name.rpartition(".")[2]: key for name, key in ids.items()}
    if module not in ids:
        raise EnvironmentSpecError(
            f"Environment {spec.id!r}: PettingZoo has no {module!r}{suggestion(module, ids) or '.'}"
        )
    try:
        aec = pettingzoo.make("aec", ids[module], **spec.kwargs)
    except USER_ERRORS as exc:
        raise cannot_be_made(spec.id, spec.kwargs, exc) from exc
    return play(_unchecked(aec), spec, seed=seed)


def _unchecked(aec: Any) -> Any:
    """Remove PettingZoo's checking wrappers: masked play never breaks their rules, and they take half of the time."""
    while isinstance(
        aec, wrappers.OrderEnforcingWrapper | wrappers.AssertOutOfBoundsWrapper | wrappers.TerminateIllegalWrapper
    ):
        aec = aec.env
    return aec
