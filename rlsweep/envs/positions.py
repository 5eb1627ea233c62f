"""What an opponent sees of a game, and what it does."""

import random
from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray


class Position(Protocol):
    """A game as the player to move sees it."""

    def legal_actions(self) -> Sequence[int] | NDArray[np.intp]:
        """The legal actions, ascending; at least one."""

    def observation(self) -> NDArray[np.float32]:
        """The observation of a policy, shape (n,)."""


P_contra = TypeVar("P_contra", bound=Position, contravariant=True)


class Opponent(Protocol[P_contra]):
    """Chooses moves. It draws only from the generator it is given, so an episode's seed determines its moves."""

    def act(self, position: P_contra, rng: random.Random) -> int:
        """A legal action for the player to move."""
