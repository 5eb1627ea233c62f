"""Who plays the seats that the agent does not."""

import random
import re
from collections.abc import Callable
from typing import Any

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs.checkpoint_opponent import CheckpointOpponent
from rlsweep.envs.turns import Opponent, Position
from rlsweep.errors import EnvironmentSpecError
from rlsweep.storage import locate

DEFAULT_SIMULATIONS = 100
"""Simulations a move of the opponent `mcts`."""


class RandomOpponent:
    """Every legal action is equally likely."""

    def act(self, position: Position, rng: random.Random) -> int:
        """A uniformly drawn legal action."""
        legal = position.legal_actions()
        return int(legal[int(rng.random() * len(legal))])


def make_opponent(
    spec: EnvironmentSpec,
    *,
    players: int,
    actions: int,
    observation_size: int,
    mcts: Callable[[int], Opponent[Any]] | None = None,
) -> Opponent[Any]:
    """The opponent that `spec.opponent` names.

    mcts: makes a tree searcher of so many simulations a move; None where the family has none.
    Raises EnvironmentSpecError for any other word, a missing file, `mcts` where there is none, and any choice of
    opponent where there is no other seat; StorageUnavailableError where a URI cannot be reached.
    """
    word = spec.opponent
    if word == "random":
        return RandomOpponent()
    if players == 1:
        raise no_seat(spec)
    search = re.fullmatch(r"mcts(?::(?P<simulations>[1-9]\d*))?", word)
    if search is not None:
        if mcts is None:
            raise EnvironmentSpecError(
                f"Environment {spec.id!r}: opponent {word!r} searches OpenSpiel games only; use random or a checkpoint."
            )
        return mcts(int(search["simulations"] or DEFAULT_SIMULATIONS))
    if word.endswith(".zip"):
        path = locate(word)
        if not path.is_file():
            raise EnvironmentSpecError(f"Environment {spec.id!r}: opponent checkpoint not found: {path}")
        return CheckpointOpponent(path, actions=actions, observation_size=observation_size)
    raise EnvironmentSpecError(
        f"Environment {spec.id!r}: opponent {word!r} is unknown; "
        f"write random, mcts, mcts:<simulations>, or the path or URI of a checkpoint (.zip)."
    )


def no_seat(spec: EnvironmentSpec) -> EnvironmentSpecError:
    """The error for an opponent in an environment with one agent."""
    return EnvironmentSpecError(
        f"Environment {spec.id!r} has one agent: opponent {spec.opponent!r} has no seat to play; remove opponent."
    )
