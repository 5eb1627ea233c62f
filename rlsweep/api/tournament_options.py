"""What a tournament is asked for."""

from dataclasses import dataclass

from rlsweep.errors import InputError

DEFAULT_GAMES = 100

DEFAULT_OPENINGS = 4
"""Random moves before deterministic policies take over: without any, they repeat one game."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TournamentOptions:
    """What a tournament is asked for.

    games: of each pair of players, half of them on either seat
    best: of each config of a sweep only the run with the best score
    opponents: fixed ones that play along: random, mcts, mcts:SIMULATIONS
    deterministic: policies play their most probable action; else they draw it, as in training
    openings: random moves at the start of a game; None for none, and for DEFAULT_OPENINGS with `deterministic`
    seed: other seeds play other games
    """

    games: int = DEFAULT_GAMES
    best: bool = False
    opponents: tuple[str, ...] = ()
    deterministic: bool = False
    openings: int | None = None
    seed: int = 0

    def check(self) -> None:
        """Raise InputError for what cannot be played."""
        if self.games < 2 or self.games % 2:
            raise InputError(
                f"--games {self.games}: each pair plays as many games on either seat. Write an even number from 2 on."
            )
        if self.deterministic and self.openings == 0:
            raise InputError(
                "--deterministic with --openings 0: two deterministic policies repeat one game. Write --openings 1 or "
                "more."
            )

    @property
    def random_moves(self) -> int:
        """Random moves at the start of a game."""
        return self.openings if self.openings is not None else DEFAULT_OPENINGS if self.deterministic else 0
