"""The opponent that plays the run's own policies: what it plays, when it draws one, and what a copy keeps of it."""

import pickle
import random
from typing import Any

import numpy as np
import pytest
from tiny import play_episode

from rlsweep.config.training import EnvironmentSpec, SelfPlay, SelfPlayPool
from rlsweep.envs import make_env
from rlsweep.envs.dense_policy import DensePolicy, ObservationScale, dense_policy, pack, unpack
from rlsweep.errors import EnvironmentSpecError

GAMES = {"open_spiel/tic_tac_toe": 27, "pettingzoo/tictactoe_v3": 18}


def always(action: int, size: int) -> DensePolicy:
    """A policy that takes this action wherever it is legal, and else a higher one before a lower one."""
    bias = np.arange(9, dtype=np.float32) * 100
    bias[action] = 10_000
    return DensePolicy(layers=((np.zeros((9, size), np.float32), bias),), activation="Tanh", scale=None)


def pool_env(env_id: str, *actions: int, seed: int = 0) -> Any:
    env = make_env(EnvironmentSpec(id=env_id, opponent=SelfPlay(self=SelfPlayPool(pool=2))), seed=seed)
    env.get_wrapper_attr("take_opponents")([always(action, GAMES[env_id]) for action in actions])
    return env


def opening(env: Any) -> int | None:
    """The opponent's first move of a new episode; None if the agent begins."""
    board = env.reset()[0]
    if env.get_wrapper_attr("seat") == 0:
        return None
    its_stones = board.reshape(3, 9)[2] if board.size == 27 else board.reshape(9, 2)[:, 1]
    (square,) = np.flatnonzero(its_stones).tolist()
    return square


@pytest.mark.parametrize("env_id", GAMES)
def test_one_policy_of_the_pool_is_drawn_for_each_episode(env_id: str) -> None:
    env = pool_env(env_id, 4, 7)
    moves = [opening(env) for _ in range(80)]
    assert set(moves) == {None, 4, 7}
    assert min(moves.count(4), moves.count(7)) > 8
    again = pool_env(env_id, 4, 7)
    assert [opening(again) for _ in range(80)] == moves, "drawn from the environment's generator"


@pytest.mark.parametrize("env_id", GAMES)
def test_the_newest_pool_plays_on_in_an_unfinished_episode(env_id: str) -> None:
    env = pool_env(env_id, 4)
    while opening(env) is None:
        pass
    env.get_wrapper_attr("take_opponents")([always(6, GAMES[env_id])])
    env.step(0)
    assert not env.get_wrapper_attr("action_masks")()[6]


def test_a_copy_draws_on_and_is_given_the_pool_anew() -> None:
    env = pool_env("open_spiel/tic_tac_toe", 4, 7)
    while opening(env) != 7:
        pass
    saved = pickle.dumps(env)
    assert len(saved) < len(pickle.dumps(always(4, 27))) + 20_000
    copy = pickle.loads(saved)
    assert copy.unwrapped._opponent._pool == ()
    copy.get_wrapper_attr("take_opponents")([always(2, 27), always(5, 27)])
    for each in (copy, env):
        each.step(0)
    assert not copy.get_wrapper_attr("action_masks")()[5], "the second of the pool plays the episode to its end"
    copy.get_wrapper_attr("take_opponents")([always(4, 27), always(7, 27)])
    assert [opening(copy) for _ in range(20)] == [opening(env) for _ in range(20)]


def test_without_a_pool_every_legal_action_is_as_likely() -> None:
    made = [
        make_env(EnvironmentSpec(id="open_spiel/tic_tac_toe", opponent=each), seed=3) for each in ("self", "random")
    ]
    one, other = ([step[:3] for _ in range(9) for step in play_episode(env, random.Random(1))] for env in made)
    np.testing.assert_equal(one, other)


def test_one_agent_has_no_opponent() -> None:
    for opponent in ("self", SelfPlay(self=SelfPlayPool())):
        with pytest.raises(
            EnvironmentSpecError, match="has one agent, so opponent 'self' cannot play; remove opponent"
        ):
            make_env(EnvironmentSpec(id="CartPole-v1", opponent=opponent), seed=0)


class Fixed(random.Random):
    """Draws the given number."""

    def __init__(self, number: float) -> None:
        super().__init__()
        self._number = number

    def random(self) -> float:
        return self._number


@pytest.mark.parametrize(
    ("net_arch", "activation"), [([8, 6], "ReLU"), ({"pi": [5], "vf": [4]}, "ELU"), ({"pi": [], "vf": [3]}, "Tanh")]
)
def test_actions_have_the_probabilities_of_torchs_network(net_arch: Any, activation: str) -> None:
    import torch
    from sb3_contrib import MaskablePPO
    from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

    from rlsweep.training.opponent_pool import policy_of

    vector = VecNormalize(DummyVecEnv([lambda: make_env(EnvironmentSpec(id="open_spiel/tic_tac_toe"), seed=0)]))
    vector.obs_rms.mean[:], vector.obs_rms.var[:] = np.linspace(0, 0.5, 27), np.linspace(0.5, 2, 27)
    arguments = {"net_arch": net_arch, "activation_fn": getattr(torch.nn, activation)}
    model = MaskablePPO("MlpPolicy", vector, n_steps=8, seed=0, device="cpu", policy_kwargs=arguments)
    with torch.no_grad():
        model.policy.action_net.weight.normal_(std=0.5)  # so that the layers before it tell
    [(policy, note)] = unpack(pack([policy_of(model)], [{"updates": 3}]))
    assert note == {"updates": 3}
    seen, legal = np.random.default_rng(0).normal(size=27).astype(np.float32), [1, 2, 5, 8]
    mask = np.isin(np.arange(9), legal)
    normalized = torch.as_tensor(vector.normalize_obs(seen))[None]
    with torch.no_grad():
        shares = model.policy.get_distribution(normalized, action_masks=mask[None]).distribution.probs[0].numpy()
    until = np.cumsum(shares[legal])
    for index, action in enumerate(legal):
        first, last = (until[index - 1] if index else 0.0) + 1e-4, until[index] - 1e-4
        assert policy.draw(seen, legal, Fixed(first)) == policy.draw(seen, legal, Fixed(last)) == action


@pytest.mark.parametrize(
    ("name", "activation", "said"),
    [
        ("features_extractor.cnn.0.weight", "Tanh", "its network has features_extractor.cnn.0.weight, and only dense"),
        ("action_net.weight", "GELU", "its activation is GELU, and only Tanh, ReLU, ELU can be played"),
    ],
)
def test_other_networks_are_refused(name: str, activation: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        dense_policy({name: np.zeros((1, 1), np.float32)}, activation, None)


def test_layers_that_do_not_fit_together_are_refused() -> None:
    weights = {"action_net.weight": np.zeros((9, 27), np.float32), "action_net.bias": np.zeros(9, np.float32)}
    scale = ObservationScale(mean=np.zeros(26), variance=np.ones(26), epsilon=0.0, clip=10.0)
    with pytest.raises(ValueError, match="its statistics are of other observations"):
        dense_policy(weights, "Tanh", scale)
    for name, shape in (("action_net.bias", (8,)), ("mlp_extractor.policy_net.0.weight", (26, 5))):
        hidden = {"mlp_extractor.policy_net.0.bias": np.zeros(26, np.float32)} if "0" in name else {}
        with pytest.raises(ValueError, match="its layers do not fit together"):
            dense_policy({**weights, **hidden, name: np.zeros(shape, np.float32)}, "Tanh", None)


def test_the_policys_numbers_are_copied() -> None:
    weights = {"action_net.weight": np.zeros((9, 27), np.float32), "action_net.bias": np.zeros(9, np.float32)}
    scale = ObservationScale(mean=np.zeros(27), variance=np.ones(27), epsilon=0.0, clip=10.0)
    policy = dense_policy(weights, "Tanh", scale)
    weights["action_net.bias"][8] = 1_000.0
    assert policy.draw(np.zeros(27, np.float32), [0, 8], Fixed(0.1)) == 0
