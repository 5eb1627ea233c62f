"""What is promised of every environment, whatever its family."""

import pickle
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from tiny import masks_of, play_episode

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs import make_env
from rlsweep.runs import Outcome


@dataclass(frozen=True, kw_only=True)
class Case:
    """An environment and what is known of it: `actions`, flat observations of `size`, and whether episodes are won."""

    spec: EnvironmentSpec
    actions: int
    size: int | None
    won: bool


def case(env_id: str, actions: int, size: int | None, *, won: bool, **keys: Any) -> Any:
    spec = EnvironmentSpec(id=env_id, **keys)
    name = f"{env_id}-{keys['opponent']}" if "opponent" in keys else env_id
    return pytest.param(Case(spec=spec, actions=actions, size=size, won=won), id=name)


CASES = [
    case("CartPole-v1", 2, 4, won=False),
    case("Taxi-v4", 6, None, won=False),
    case("tiny:Corridor", 2, 5, won=True),
    case("tiny:LeastLost", 3, 4, won=True),
    case("open_spiel/connect_four", 7, 126, won=True),
    case("open_spiel/connect_four", 7, 84, won=True, kwargs={"columns": 7, "rows": 4}),
    case("open_spiel/tic_tac_toe", 9, 27, won=True, opponent="mcts:5"),
    case("open_spiel/misere(game=tic_tac_toe())", 9, 27, won=True),
    case("open_spiel/kuhn_poker", 2, 7, won=True),
    case("open_spiel/backgammon", 1352, 200, won=True),
    case("open_spiel/battleship", 300, 2615, won=True),
    case("open_spiel/negotiation", 342, 90, won=True),
    case("open_spiel/hearts", 52, 5088, won=True),
    case("open_spiel/turn_based_simultaneous_game(game=goofspiel(num_cards=4))", 4, None, won=True),
    case("open_spiel/catch", 3, 50, won=False),
    case("open_spiel/2048", 4, 16, won=False),
    case("open_spiel/tiny_hanabi", 3, 8, won=False),
    case("pettingzoo/connect_four_v3", 7, 84, won=True),
    case("pettingzoo/tictactoe_v3", 9, 18, won=True),
    case("blokus_rl:BlokusEnv", 36_400, 1_600, won=True, observation_keys=("observation",)),
]


def transcript(env: Any, *, seed: int | None = None, episodes: int = 3) -> list[tuple[Any, ...]]:
    rng = random.Random(9)
    played = [play_episode(env, rng, seed=seed if episode == 0 else None) for episode in range(episodes)]
    return [
        (np.asarray(observation).tolist(), action, float(reward), terminated, truncated, info.get("outcome"))
        for steps in played
        for observation, action, reward, terminated, truncated, info in steps
    ]


@pytest.mark.parametrize("case", CASES)
class TestEnvironment:
    def test_spaces(self, case: Case) -> None:
        env = make_env(case.spec, seed=0)
        assert isinstance(env.action_space, spaces.Discrete)
        assert env.action_space.n == case.actions
        if case.size is not None:
            assert isinstance(env.observation_space, spaces.Box)
            assert env.observation_space.shape == (case.size,)
            assert env.observation_space.dtype == np.float32

    def test_plays_to_the_end_in_its_spaces(self, case: Case) -> None:
        env, rng = make_env(case.spec, seed=1), random.Random(1)
        for _ in range(3):
            observation, _ = env.reset()
            over = False
            while not over:
                assert env.observation_space.contains(observation)
                mask = masks_of(env)
                assert mask.shape == (case.actions,)
                assert mask.dtype == np.bool_
                assert mask.any()
                before = observation if isinstance(observation, int) else observation.copy()
                last = observation
                observation, reward, terminated, truncated, info = env.step(
                    np.int64(rng.choice(np.flatnonzero(mask).tolist()))
                )
                assert np.array_equal(before, last), "an observation was overwritten by the next step"
                assert np.isfinite(reward)
                over = terminated or truncated
                assert over or "outcome" not in info
            assert env.observation_space.contains(observation)
            assert ("outcome" in info) == case.won
            assert not case.won or info["outcome"] in list(Outcome)

    def test_same_seed_same_episodes(self, case: Case) -> None:
        played = transcript(make_env(case.spec, seed=7))
        assert transcript(make_env(case.spec, seed=7)) == played
        other = make_env(case.spec, seed=8)
        other.reset()
        assert transcript(other, seed=7) == played

    def test_leaves_global_generators_alone(self, case: Case) -> None:
        python, numpy = random.getstate(), np.random.get_state()[1].copy()
        transcript(make_env(case.spec, seed=2), episodes=1)
        assert random.getstate() == python
        assert (np.random.get_state()[1] == numpy).all()

    def test_is_truncated_after_max_steps(self, case: Case) -> None:
        env, rng = make_env(case.spec, seed=3, max_steps_per_episode=2), random.Random(3)
        for _ in range(5):
            steps = play_episode(env, rng)
            assert len(steps) <= 2
            *_, terminated, truncated, _ = steps[-1]
            assert truncated or terminated
            assert truncated or len(steps) < 2 or terminated


@pytest.mark.parametrize("case", [case for case in CASES if not case.values[0].spec.id.startswith("pettingzoo/")])
def test_survives_pickling(case: Case) -> None:
    # PettingZoo's own environments are left out: they pickle their constructor's arguments, and come back unstarted
    env = make_env(case.spec, seed=4)
    env.reset()
    copy = pickle.loads(pickle.dumps(env))
    assert np.array_equal(masks_of(copy), masks_of(env))
    assert transcript(copy, seed=5) == transcript(env, seed=5)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "open_spiel/catch"])
def test_passes_sb3s_own_check(env_id: str) -> None:
    from stable_baselines3.common.env_checker import check_env

    check_env(make_env(EnvironmentSpec(id=env_id), seed=0))


def test_sb3_finds_the_masks_of_a_vector() -> None:
    from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
    from stable_baselines3.common.vec_env import DummyVecEnv

    spec = EnvironmentSpec(id="open_spiel/tic_tac_toe")
    vector = DummyVecEnv([lambda i=i: make_env(spec, seed=i, max_steps_per_episode=3) for i in range(2)])
    vector.seed(11)
    vector.reset()
    assert is_masking_supported(vector)
    for _ in range(3):
        masks = get_action_masks(vector)
        assert masks.shape == (2, 9)
        _, _, dones, infos = vector.step(masks.argmax(axis=1))
    assert dones.all()
    for info in infos:
        assert info["TimeLimit.truncated"] == ("outcome" not in info)
        assert info["terminal_observation"].reshape(3, 9)[0].sum() < 9


def test_vector_seed_decides_episodes() -> None:
    from stable_baselines3.common.vec_env import DummyVecEnv

    def first(made_with: int) -> list[list[float]]:
        vector = DummyVecEnv(
            [lambda i=i: make_env(EnvironmentSpec(id="open_spiel/backgammon"), seed=made_with + i) for i in range(2)]
        )
        vector.seed(5)
        return vector.reset().tolist()

    one, other = first(0), first(100)
    assert one == other
    assert one[0] != one[1]
