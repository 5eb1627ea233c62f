"""Wins, draws and losses of a tournament, by who moved first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlsweep.store.tournaments import PairCounts


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Counts:
    """Games in which the row's player moved first against the column's, (players, players); wins of the first."""

    wins: NDArray[np.int64]
    draws: NDArray[np.int64]
    losses: NDArray[np.int64]

    @property
    def players(self) -> int:
        """How many players there are."""
        return len(self.wins)

    @property
    def games(self) -> NDArray[np.int64]:
        """All games, shape as above."""
        return self.wins + self.draws + self.losses

    @property
    def total(self) -> int:
        """Number of games."""
        return int(self.games.sum())

    @property
    def first_share(self) -> float | None:
        """Points of those who moved first, as a share of all; None without a game."""
        return float(self.wins.sum() + self.draws.sum() / 2) / self.total if self.total else None

    def grouped(self, groups: Sequence[Sequence[int]]) -> "Counts":
        """The same, of groups of players; games within a group are left out."""
        member = np.zeros((len(groups), self.players))  # of floats, whose product takes a hundredth of the time
        for row, players in enumerate(groups):
            member[row, list(players)] = 1
        sums = [
            np.rint(member @ counts.astype(np.float64) @ member.T).astype(np.int64)
            for counts in (self.wins, self.draws, self.losses)
        ]
        for counts in sums:
            np.fill_diagonal(counts, 0)
        return Counts(wins=sums[0], draws=sums[1], losses=sums[2])

    def on_both_seats(self) -> NDArray[np.int64]:
        """Wins, draws and losses of the row's player against the column's: shape (players, players, 3)."""
        return np.stack([self.wins + self.losses.T, self.draws + self.draws.T, self.losses + self.wins.T], axis=-1)


def counts_of(players: int, pairs: Sequence[PairCounts]) -> Counts:
    """Put the counts of pairs into matrices."""
    wins, draws, losses = (np.zeros((players, players), np.int64) for _ in range(3))
    for pair in pairs:
        for row, column, counts in ((pair.one, pair.two, pair.one_first), (pair.two, pair.one, pair.two_first)):
            wins[row, column], draws[row, column], losses[row, column] = counts
    return Counts(wins=wins, draws=draws, losses=losses)
