"""Outcomes whose right answer is known."""

import random
from typing import Any

import pytest
from tiny import LeastLost, play_episode

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs import make_env
from rlsweep.envs.open_spiel import SpielEnv
from rlsweep.envs.outcomes import outcome_of
from rlsweep.envs.positions import Position
from rlsweep.envs.spiel_games import load_game
from rlsweep.runs import Outcome


class Scripted:
    """Plays the given moves, one after another."""

    def __init__(self, moves: list[int]) -> None:
        self._moves = iter(moves)

    def act(self, position: Position, rng: random.Random) -> int:
        return next(self._moves)


@pytest.mark.parametrize(
    ("own", "others", "outcome"),
    [
        (1.0, [-1.0], Outcome.WIN),
        (-3.0, [-5.0, -4.0], Outcome.WIN),
        (0.0, [0.0], Outcome.DRAW),
        (2.0, [2.0, -4.0], Outcome.DRAW),
        (2.0, [3.0, 3.0], Outcome.LOSS),
        (5.0, [6.0, -11.0], Outcome.LOSS),
    ],
)
def test_highest_return_wins(own: float, others: list[float], outcome: Outcome) -> None:
    assert outcome_of(own, others) is outcome


@pytest.mark.parametrize(
    ("own", "opponent", "reward", "outcome"),
    [
        ([0, 1, 2], [3, 4], 1.0, Outcome.WIN),
        ([0, 1, 3], [2, 4, 6], -1.0, Outcome.LOSS),
        ([0, 1, 5, 6, 8], [2, 3, 4, 7], 0.0, Outcome.DRAW),
    ],
)
def test_tic_tac_toe_by_script(own: list[int], opponent: list[int], reward: float, outcome: Outcome) -> None:
    spec = EnvironmentSpec(id="open_spiel/tic_tac_toe")
    env = SpielEnv(spec.id, load_game(spec), Scripted(opponent), seed=_seed_for_seat(0))
    env.reset()
    *before, last = [env.step(move) for move in own]
    assert [step[1:] for step in before] == [(0.0, False, False, {})] * len(before)
    assert last[1:] == (reward, True, False, {"outcome": outcome})


def _seed_for_seat(seat: int) -> int:
    """A seed whose first game is played from that seat (the opponent's script may not be asked before)."""
    env = make_env(EnvironmentSpec(id="open_spiel/tic_tac_toe"), seed=0)
    for seed in range(100):
        env.reset(seed=seed)
        if env.get_wrapper_attr("seat") == seat:
            return seed
    raise AssertionError


def test_winner_may_have_lost_points_and_be_out_first() -> None:
    env, rng = make_env(EnvironmentSpec(id="tiny:LeastLost"), seed=0), random.Random(0)
    seen = set()
    for _ in range(200):
        (_, action, reward, terminated, truncated, info), *more = play_episode(env, rng)
        assert not more
        assert reward == -(action + 1)
        assert (terminated, truncated) == (True, False)
        game, seat = env.unwrapped._aec, env.get_wrapper_attr("seat")  # type: ignore[attr-defined]
        assert len(game.paid) == 3, "the others play on until it is known who won"
        least = [agent for agent, paid in game.paid.items() if paid == min(game.paid.values())]
        own = game.possible_agents[seat]
        expected = Outcome.LOSS if own not in least else Outcome.WIN if least == [own] else Outcome.DRAW
        assert info["outcome"] is expected
        seen.add((seat, expected))
    assert len(seen) == 9


def test_rewards_of_all_turns_are_counted() -> None:
    env, rng = make_env(EnvironmentSpec(id="tiny:PaidEveryTurn"), seed=0), random.Random(0)
    for _ in range(20):
        first, second = play_episode(env, rng)
        assert [first[2], second[2]] == [first[1] + 1, second[1] + 1]


def test_game_that_was_cut_has_no_outcome() -> None:
    env = make_env(EnvironmentSpec(id="tiny:LeastLost", kwargs={"cut": True}), seed=0)
    ((_, _, _, terminated, truncated, info),) = play_episode(env, random.Random(0))
    assert (terminated, truncated) == (False, True)
    assert "outcome" not in info


def test_game_truncated_by_our_limit_has_no_outcome() -> None:
    env = make_env(EnvironmentSpec(id="open_spiel/connect_four"), seed=0, max_steps_per_episode=2)
    *_, terminated, truncated, info = play_episode(env, random.Random(0))[-1]
    assert (terminated, truncated) == (False, True)
    assert "outcome" not in info


@pytest.mark.parametrize(("move", "outcome"), [(1, Outcome.WIN), (0, Outcome.LOSS)])
def test_success_in_info_is_a_win(move: int, outcome: Outcome) -> None:
    env = make_env(EnvironmentSpec(id="tiny:Corridor"), seed=0)
    env.reset()
    over = False
    while not over:
        _, _, terminated, truncated, info = env.step(move)
        over = terminated or truncated
    assert info["outcome"] is outcome


def test_blokus_outcome_is_the_highest_score() -> None:
    env, rng = make_env(EnvironmentSpec(id="blokus_rl:BlokusEnv", observation_keys=("seat",)), seed=0), random.Random(0)
    for _ in range(5):
        observation, *_, info = play_episode(env, rng)[-1]
        seat = env.get_wrapper_attr("seat")
        assert observation.argmax() == seat
        scores = list(env.unwrapped._aec._env.scores)  # type: ignore[attr-defined]
        own = scores.pop(seat)
        assert info["outcome"] is outcome_of(own, scores)


@pytest.mark.parametrize("metadata", [{"name": "hanabi_v5"}, {"name": "our_game", "cooperative": True}])
def test_a_cooperative_game_has_no_winner(metadata: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """It was shown as 0 won and 20 drawn."""
    monkeypatch.setattr(LeastLost, "metadata", metadata)
    env = make_env(EnvironmentSpec(id="tiny:LeastLost"), seed=0)
    assert "outcome" not in play_episode(env, random.Random(0))[-1][-1]
