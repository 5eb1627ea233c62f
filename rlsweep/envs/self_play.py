"""The opponent that plays earlier policies of the agent's own run."""

import random
from collections.abc import Sequence
from typing import Any

from rlsweep.envs.dense_policy import DensePolicy
from rlsweep.envs.positions import Position
from rlsweep.envs.random_opponent import RandomOpponent


class SelfPlayOpponent:
    """Plays one policy of a pool, drawn for each episode; before it is given a pool, every legal action is as likely.

    The pool belongs to the run, which hands it over between rollouts. A new policy takes the place of the oldest, and
    an unfinished episode against the oldest goes on against the new one. So a pickled copy needs only the place.
    """

    def __init__(self) -> None:
        self._pool: tuple[DensePolicy, ...] = ()
        self._place = 0

    def take(self, pool: Sequence[DensePolicy]) -> None:
        """Play these policies from now on."""
        self._pool = tuple(pool)

    def begin(self, rng: random.Random) -> None:
        """Draw the policy of a new episode."""
        self._place = int(rng.random() * len(self._pool)) if len(self._pool) > 1 else 0

    def act(self, position: Position, rng: random.Random) -> int:
        """A legal action, drawn with its probability."""
        if not self._pool:
            return RandomOpponent().act(position, rng)
        return self._pool[self._place].draw(position.observation(), position.legal_actions(), rng)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the pool, which would be written once for every environment."""
        return {**self.__dict__, "_pool": ()}
