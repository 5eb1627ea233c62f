"""Two policies against each other: seats, results, seeds, openings, limits, and what is recorded."""

import random
from typing import Any

import numpy as np
import pytest

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs.dense_policy import DensePolicy
from rlsweep.envs.matches import DensePlayer, make_fixed_opponent, make_two_player_game, play_slice
from rlsweep.errors import EnvironmentSpecError
from rlsweep.tournament_records import DRAWN, FIRST_WINS, SECOND_WINS, PlayedSlice, Slice, TournamentTerms

TERMS = TournamentTerms(environment={}, games=20, seed=0, deterministic=False, openings=0, max_moves=None)
TWENTY = Slice(one=0, two=1, first_game=0, games=20)


class Lowest:
    """Plays the lowest legal action: in tic-tac-toe whoever moves first wins against it with 0, 2, 4, 6."""

    def act(self, position: Any, rng: random.Random) -> int:
        return int(position.legal_actions()[0])


class Highest:
    """Plays the highest legal action."""

    def act(self, position: Any, rng: random.Random) -> int:
        return int(position.legal_actions()[-1])


def played(env: str, players: Any, part: Slice = TWENTY, **terms: Any) -> PlayedSlice:
    game = make_two_player_game(EnvironmentSpec(id=env))
    asked = {name: getattr(TERMS, name) for name in TERMS.__slots__} | terms
    return play_slice(game, players, TournamentTerms(**asked), part)


@pytest.mark.parametrize("env", ["open_spiel/tic_tac_toe", "pettingzoo/tictactoe_v3"])
def test_players_change_seats_and_results_belong_to_who_moved_first(env: str) -> None:
    equal = played(env, (Lowest(), Lowest()))
    assert set(equal.results) == {FIRST_WINS}
    assert set(equal.lengths) == {7}
    uneven = played(env, (Lowest(), Highest()))
    assert set(uneven.results[::2]) == {FIRST_WINS}, "0, 1, 2 against 8, 7"
    assert uneven.lengths == (5,) * 20
    first, second = uneven.shown
    assert [move.seat for move in first.moves] == [0, 1, 0, 1, 0]
    if env.startswith("open_spiel/"):
        assert first.boards[0].count(".") == 9
        assert first.boards[-1] == "xxx\n...\n.oo"
        assert second.boards[-1] == "oo.\n...\nxxx", "the other player begins"
        assert [move.text for move in first.moves] == ["x(0,0)", "o(2,2)", "x(0,1)", "o(2,1)", "x(0,2)"]
    else:
        assert first.boards == ()
        assert [move.text for move in first.moves] == ["0", "8", "1", "7", "2"]


def test_equal_numbers_give_equal_games_whatever_was_played_before() -> None:
    spec = EnvironmentSpec(id="open_spiel/connect_four")
    mover = make_fixed_opponent(spec, "random")
    whole = played(spec.id, (mover, mover), openings=2)
    part = played(spec.id, (mover, mover), Slice(one=0, two=1, first_game=8, games=6), openings=2)
    assert part.results == whole.results[8:14]
    assert part.lengths == whole.lengths[8:14]
    assert played(spec.id, (mover, mover), seed=1).lengths != whole.lengths
    assert {FIRST_WINS, SECOND_WINS} <= set(whole.results)


def test_deterministic_policies_play_other_games_only_by_their_openings() -> None:
    rng = np.random.default_rng(0)
    layers = tuple(
        (rng.normal(size=size).astype(np.float32), np.zeros(size[0], np.float32)) for size in [(8, 126), (7, 8)]
    )
    policy = DensePolicy(layers=layers, activation="Tanh", scale=None)
    env, same = "open_spiel/connect_four", DensePlayer(policy, deterministic=True)
    assert len(set(played(env, (same, same), deterministic=True).lengths)) == 1, "one game, again and again"
    varied = played(env, (same, same), deterministic=True, openings=4)
    assert len(set(varied.lengths)) > 3
    first, second = varied.shown
    assert [move.is_random for move in first.moves[:5]] == [True] * 4 + [False]
    assert first.moves[:4] == second.moves[:4], "both games of a pair begin alike"
    drawn = DensePlayer(policy, deterministic=False)
    assert len(set(played(env, (drawn, drawn)).lengths)) > 3


def test_a_game_that_is_too_long_is_a_draw() -> None:
    assert played("open_spiel/tic_tac_toe", (Lowest(), Lowest()), max_moves=3).results == (DRAWN,) * 20
    assert played("open_spiel/tic_tac_toe", (Lowest(), Lowest()), max_moves=4).results == (FIRST_WINS,) * 20


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"id": "CartPole-v1"}, "is no game of two players against each other"),
        ({"id": "open_spiel/tiny_hanabi"}, "is no game of two players against each other"),
        ({"id": "open_spiel/kuhn_poker", "kwargs": {"players": 3}}, "is no game of two players"),
        ({"id": "open_spiel/connect_four", "frame_stack": 2}, "has wrappers or frame_stack"),
    ],
)
def test_what_is_no_game_for_two_is_refused(spec: dict[str, Any], said: str) -> None:
    with pytest.raises(EnvironmentSpecError, match=said):
        make_two_player_game(EnvironmentSpec(**spec))
