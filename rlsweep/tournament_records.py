"""The records of tournaments: what was asked for, who plays, and the games on record."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

FIRST_WINS, DRAWN, SECOND_WINS = 1, 0, -1
"""Results of a game, by who moved first in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TournamentTerms:
    """What a tournament was asked for; with its players it determines every game.

    environment: the EnvironmentSpec of the game, without an opponent, as JSON values
    games: of each pair, half of them on either seat
    seed: other seeds play other games
    deterministic: whether policies play their most probable action; else they draw it
    openings: random legal moves at the start of a game; both games of a pair on swapped seats begin with the same ones
    max_moves: of one player; a longer game is a draw; None for no limit
    """

    environment: dict[str, Any]
    games: int
    seed: int
    deterministic: bool
    openings: int
    max_moves: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Player:
    """The final checkpoint of a run, or a fixed opponent.

    number: 0, 1, … within its tournament
    name: unique within its tournament; config: name of its config; both are the opponent's name for a fixed opponent
    seed: of its run; None for a fixed opponent
    run_id: None for a fixed opponent, and for a run that was deleted
    checkpoint, sha256: URI and checksum; None for a fixed opponent
    env_steps: of its training at the checkpoint; None for a fixed opponent
    """

    number: int
    name: str
    config: str
    seed: int | None
    run_id: UUID | None
    checkpoint: str | None
    sha256: str | None
    env_steps: int | None

    @property
    def is_fixed(self) -> bool:
        """Whether it is a fixed opponent rather than a checkpoint."""
        return self.checkpoint is None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tournament(TournamentTerms):
    """A tournament on record; key: the same for the same terms and players."""

    id: UUID
    key: str
    created_at: datetime
    players: tuple[Player, ...]

    @property
    def planned(self) -> int:
        """Number of games of all pairs."""
        return self.games * len(self.players) * (len(self.players) - 1) // 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """A move of a recorded game. seat: 0 moves first; text: as the game writes it; is_random: one of the opening."""

    seat: int
    text: str
    is_random: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedGame:
    """A game to step through.

    boards: the position before each move, then the last one; empty if the game has no text for positions
    """

    moves: tuple[Move, ...]
    boards: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """Some games of a pair; `one` and `two` are numbers of players, one < two.

    first_game: number of its first game; in even games player `one` moves first, in odd ones player `two`
    """

    one: int
    two: int
    first_game: int
    games: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PlayedSlice(Slice):
    """A slice that was played.

    results: FIRST_WINS, DRAWN or SECOND_WINS of each game, in order
    lengths: moves of each game
    shown: its first two games, one on either seat, if it is the first slice of its pair; else empty
    seconds: that it took
    """

    results: tuple[int, ...]
    lengths: tuple[int, ...]
    shown: tuple[RecordedGame, ...]
    seconds: float
