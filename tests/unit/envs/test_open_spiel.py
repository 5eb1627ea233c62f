import random
from collections import Counter

import numpy as np
import pyspiel
import pytest
from tiny import masks_of, play_episode

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs import make_env
from rlsweep.errors import EnvironmentSpecError


def test_seats_are_drawn_evenly() -> None:
    env = make_env(EnvironmentSpec(id="open_spiel/tic_tac_toe"), seed=0)
    seats: Counter[int] = Counter()
    for _ in range(2_000):
        observation, _ = env.reset()
        seat = env.get_wrapper_attr("seat")
        seats[seat] += 1
        # who moves second finds the opponent's first stone on the board
        assert observation.reshape(3, 9)[0].sum() == 9 - seat
    assert 900 < seats[0] < 1_100


def test_chance_is_drawn_by_its_probability() -> None:
    env = make_env(EnvironmentSpec(id="open_spiel/kuhn_poker"), seed=0)
    cards: Counter[int] = Counter()
    for _ in range(3_000):
        observation, _ = env.reset()
        cards[int(observation[2:5].argmax())] += 1
    assert all(900 < cards[card] < 1_100 for card in range(3))


@pytest.mark.parametrize("name", ["connect_four", "kuhn_poker", "backgammon", "hearts", "leduc_poker", "bargaining"])
def test_observation_is_the_games_own_tensor(name: str) -> None:
    env, rng = make_env(EnvironmentSpec(id=f"open_spiel/{name}"), seed=0), random.Random(0)
    observation, _ = env.reset()
    for _ in range(40):
        state, seat = env.get_wrapper_attr("state"), env.get_wrapper_attr("seat")
        by_name = pyspiel.load_game(name).get_type()
        tensor = state.observation_tensor if by_name.provides_observation_tensor else state.information_state_tensor
        assert observation.tolist() == np.array(tensor(seat), np.float32).tolist()
        if state.is_terminal():
            observation, _ = env.reset()
        else:
            assert np.flatnonzero(masks_of(env)).tolist() == state.legal_actions(seat)
            observation, *_ = env.step(rng.choice(state.legal_actions(seat)))


@pytest.mark.parametrize("name", ["2048", "cliff_walking", "backgammon", "leduc_poker", "hanabi"])
def test_rewards_add_up_to_the_final_return(name: str) -> None:
    env, rng = make_env(EnvironmentSpec(id=f"open_spiel/{name}"), seed=0, max_steps_per_episode=200), random.Random(0)
    steps = play_episode(env, rng)
    state, seat = env.get_wrapper_attr("state"), env.get_wrapper_attr("seat")
    assert sum(step[2] for step in steps) == pytest.approx(state.returns()[seat])


def test_seeds_games_that_roll_their_own_dice() -> None:
    env = make_env(EnvironmentSpec(id="open_spiel/negotiation"), seed=0)
    dealt = [env.reset(seed=seed)[0].tolist() for seed in (1, 1, 2, 3, 4)]
    assert dealt[0] == dealt[1]
    assert len({tuple(first) for first in dealt}) > 1


def test_cooperative_game_has_no_outcome() -> None:
    steps = play_episode(make_env(EnvironmentSpec(id="open_spiel/tiny_hanabi"), seed=0), random.Random(0))
    assert "outcome" not in steps[-1][-1]


@pytest.mark.parametrize("env_id", ["open_spiel/tic_tac_toe", "tiny:LeastLost"])
def test_illegal_action_is_refused(env_id: str) -> None:
    env = make_env(EnvironmentSpec(id=env_id), seed=0)
    env.reset()
    while masks_of(env).all():
        env.reset()
    with pytest.raises(EnvironmentSpecError, match=r"is not legal here; use an algorithm that masks actions"):
        env.step(np.flatnonzero(~masks_of(env))[0])
