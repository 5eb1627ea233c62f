"""Opponents: they play the seats that the agent does not."""

import re
from collections.abc import Callable
from typing import Any

from rlsweep.checkpoint_format import SUFFIX
from rlsweep.config.training import SELF, EnvironmentSpec, SelfPlay
from rlsweep.envs.checkpoint_opponent import CheckpointOpponent
from rlsweep.envs.positions import Opponent
from rlsweep.envs.random_opponent import RandomOpponent
from rlsweep.envs.self_play import SelfPlayOpponent
from rlsweep.errors import EnvironmentSpecError
from rlsweep.storage import locate

DEFAULT_SIMULATIONS = 100
"""Simulations per move of the opponent `mcts`."""


def make_opponent(
    spec: EnvironmentSpec,
    *,
    players: int,
    actions: int,
    observation_size: int,
    mcts: Callable[[int], Opponent[Any]] | None = None,
) -> Opponent[Any]:
    """Make the opponent that `spec.opponent` names.

    mcts: makes an MCTS opponent, given its simulations per move; None if the family does not support MCTS
    Raises EnvironmentSpecError for an unknown name, a missing file, `mcts` without support for it, and any opponent
    other than `random` if there is one player; StorageUnavailableError if a URI cannot be reached.
    """
    word = spec.opponent
    if word == "random":
        return RandomOpponent()
    if players == 1:
        raise no_seat(spec)
    if isinstance(word, SelfPlay) or word == SELF:
        return SelfPlayOpponent()
    search = re.fullmatch(r"mcts(?::(?P<simulations>[1-9]\d*))?", word)
    if search is not None:
        if mcts is None:
            raise EnvironmentSpecError(
                f"Environment {spec.id!r}: opponent {word!r} searches OpenSpiel games only; use random or a checkpoint."
            )
        return mcts(int(search["simulations"] or DEFAULT_SIMULATIONS))
    if word.endswith(SUFFIX):
        path = locate(word)
        if not path.is_file():
            raise EnvironmentSpecError(f"Environment {spec.id!r}: opponent checkpoint not found: {path}.")
        return CheckpointOpponent(path, actions=actions, observation_size=observation_size)
    raise EnvironmentSpecError(
        f"Environment {spec.id!r}: opponent {word!r} is unknown; "
        f"write random, mcts, mcts:<simulations>, self, or the path or URI of a checkpoint (.zip)."
    )


def no_seat(spec: EnvironmentSpec) -> EnvironmentSpecError:
    """The error for an opponent in an environment with one agent."""
    name = SELF if isinstance(spec.opponent, SelfPlay) else spec.opponent
    return EnvironmentSpecError(
        f"Environment {spec.id!r} has one agent, so opponent {name!r} cannot play; remove opponent."
    )
