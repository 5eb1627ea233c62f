"""The opponent that plays at random."""

import random

from rlsweep.envs.positions import Position


class RandomOpponent:
    """Plays every legal action with equal probability."""

    def act(self, position: Position, rng: random.Random) -> int:
        """A uniformly drawn legal action."""
        legal = position.legal_actions()
        return int(legal[int(rng.random() * len(legal))])
