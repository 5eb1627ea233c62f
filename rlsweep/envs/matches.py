"""Games of two policies against each other, each on its own seat."""

import random
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs.aec import TEXT_MODE, AECGame
from rlsweep.envs.dense_policy import DensePolicy
from rlsweep.envs.make import make_env
from rlsweep.envs.outcomes import outcome_of
from rlsweep.envs.positions import Opponent, Position
from rlsweep.envs.turns import CutGameError, TurnGame
from rlsweep.errors import EnvironmentSpecError
from rlsweep.runs import Outcome
from rlsweep.tournament_records import (
    DRAWN,
    FIRST_WINS,
    SECOND_WINS,
    Move,
    PlayedSlice,
    RecordedGame,
    Slice,
    TournamentTerms,
)

SHOWN_GAMES = 2
"""Games of each pair that can be stepped through: one on either seat."""

MOST_SHOWN_MOVES = 500
"""Moves of a recorded game; the rest of a longer one is left out."""

_RESULTS = {Outcome.WIN: FIRST_WINS, Outcome.DRAW: DRAWN, Outcome.LOSS: SECOND_WINS}


class DensePlayer:
    """Plays a policy: draws a legal action with its probability, or takes the most probable one."""

    def __init__(self, policy: DensePolicy, *, deterministic: bool) -> None:
        self._policy = policy
        self._deterministic = deterministic

    def act(self, position: Position, rng: random.Random) -> int:
        """A legal action."""
        if self._deterministic:
            return self._policy.best(position.observation(), np.asarray(position.legal_actions(), np.intp))
        return self._policy.draw(position.observation(), position.legal_actions(), rng)


def make_two_player_game(spec: EnvironmentSpec) -> TurnGame:
    """Make the game of an environment spec; it writes its positions as text if it can.

    Raises EnvironmentSpecError if it is no turn-based game of two players against each other, or has wrappers or
    `frame_stack`, which give one seat other observations than the other one gets.
    """
    if spec.wrappers or spec.frame_stack > 1:
        raise EnvironmentSpecError(
            f"Environment {spec.id!r} has wrappers or frame_stack, which exist for one seat only. A tournament needs a "
            "game without them."
        )
    game = make_env(spec, seed=0)
    if not isinstance(game, TurnGame) or game.players != 2 or not game.competitive:
        game.close()
        raise EnvironmentSpecError(
            f"Environment {spec.id!r} is no game of two players against each other, so its policies cannot meet. "
            "Compare its configs with `rlsweep report`."
        )
    if isinstance(game, AECGame) and game.can_be_text and "render_mode" not in spec.kwargs:
        game.close()
        return make_two_player_game(spec.model_copy(update={"kwargs": {**spec.kwargs, "render_mode": TEXT_MODE}}))
    return game


def make_fixed_opponent(spec: EnvironmentSpec, name: str) -> Opponent[Any]:
    """Make `random`, `mcts` or `mcts:<simulations>` for the game. Raises EnvironmentSpecError where it cannot play."""
    game = make_env(spec.model_copy(update={"opponent": name}), seed=0)
    assert isinstance(game, TurnGame)
    return game.opponent


def play_slice(
    game: TurnGame, players: tuple[Opponent[Any], Opponent[Any]], terms: TournamentTerms, part: Slice
) -> PlayedSlice:
    """Play some games of a pair. Equal terms, players and numbers give equal games, whatever was played before.

    players: `part.one` and `part.two`

    Raises EnvironmentStateError if the game fails.
    """
    began = time.monotonic()
    results, lengths, shown = [], [], []
    for number in range(part.first_game, part.first_game + part.games):
        seats = players if number % 2 == 0 else players[::-1]
        pair = f"{terms.seed}/{part.one}/{part.two}"
        table = _Table(
            seats,
            opening=random.Random(f"{pair}/opening {number // 2}"),
            openings=terms.openings,
            max_moves=terms.max_moves,
            records=number < SHOWN_GAMES,
        )
        seed = random.Random(f"{pair}/game {number}").getrandbits(31)
        results.append(_result(game, table, seed))
        lengths.append(sum(table.moves))
        if number < SHOWN_GAMES:
            shown.append(table.recorded(game))
    return PlayedSlice(
        one=part.one,
        two=part.two,
        first_game=part.first_game,
        games=part.games,
        results=tuple(results),
        lengths=tuple(lengths),
        shown=tuple(shown),
        seconds=time.monotonic() - began,
    )


def _result(game: TurnGame, table: "_Table", seed: int) -> int:
    returns = game.play_through(table, seed=seed)
    return DRAWN if returns is None else _RESULTS[outcome_of(returns[0], returns[1:])]


class _Table:
    """The players of both seats, as one that chooses the moves of every seat."""

    def __init__(
        self,
        seats: Sequence[Opponent[Any]],
        *,
        opening: random.Random,
        openings: int,
        max_moves: int | None,
        records: bool,
    ) -> None:
        self._seats = seats
        self._opening = opening
        self._openings = openings
        self._max_moves = max_moves
        self._records = records
        self._boards: list[str | None] = []
        self._shown: list[Move] = []
        self.moves = [0] * len(seats)

    def act(self, game: TurnGame, rng: random.Random) -> int:
        """The move of the player whose turn it is."""
        seat = game.seat_to_move
        if self._max_moves is not None and self.moves[seat] >= self._max_moves:
            raise CutGameError
        is_random = sum(self.moves) < self._openings
        position: Any = game
        if is_random:
            legal = position.legal_actions()
            move = int(legal[int(self._opening.random() * len(legal))])
        else:
            move = self._seats[seat].act(position, rng)
        if self._records and len(self._shown) < MOST_SHOWN_MOVES:
            self._boards.append(game.board())
            self._shown.append(Move(seat=seat, text=game.move_text(move), is_random=is_random))
        self.moves[seat] += 1
        return move

    def recorded(self, game: TurnGame) -> RecordedGame:
        """The game, which is over."""
        boards = [*self._boards, game.board()]
        return RecordedGame(
            moves=tuple(self._shown), boards=tuple(str(board) for board in boards) if None not in boards else ()
        )
