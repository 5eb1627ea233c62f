import numpy as np
import pytest
from gymnasium import spaces
from tiny import masks_of

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs import make_env
from rlsweep.errors import EnvironmentStateError


@pytest.mark.parametrize("masked_in", ["observation", "info"])
def test_mask_is_taken_from_where_it_comes(masked_in: str) -> None:
    env = make_env(EnvironmentSpec(id="tiny:Corridor", kwargs={"masked_in": masked_in}), seed=0)
    observation, _ = env.reset()
    while observation[0] == 0:  # cell 0 is not hot: we stand in cell 1
        observation, _ = env.reset()
    assert observation.tolist() == [1, 0, 0, 0, 3]
    assert masks_of(env).tolist() == [False, True]
    observation, *_ = env.step(1)
    assert observation.tolist() == [0, 1, 0, 0, 3]
    assert masks_of(env).tolist() == [True, True]


def test_environments_own_masks_are_kept() -> None:
    env = make_env(EnvironmentSpec(id="tiny:OwnMasks"), seed=0)
    env.reset()
    assert masks_of(env).tolist() == [False, True]


def test_observation_keys_choose_and_order() -> None:
    env = make_env(EnvironmentSpec(id="tiny:Corridor", observation_keys=("goal", "cell")), seed=0)
    observation, _ = env.reset()
    assert observation[0] == 3
    assert observation[1:].sum() == 1
    only = make_env(EnvironmentSpec(id="tiny:Corridor", observation_keys=("goal",)), seed=0)
    assert only.reset()[0].tolist() == [3]
    assert masks_of(only).any(), "the mask is found although its key is not among the chosen"


def test_continuous_actions_have_no_mask() -> None:
    env = make_env(EnvironmentSpec(id="Pendulum-v1"), seed=0)
    assert isinstance(env.action_space, spaces.Box)
    assert not env.has_wrapper_attr("action_masks")
    env.reset()
    assert env.observation_space.contains(env.step(env.action_space.sample())[0])


def test_own_limit_holds_where_shorter() -> None:
    env = make_env(EnvironmentSpec(id="Pendulum-v1", kwargs={"max_episode_steps": 5}), seed=0, max_steps_per_episode=9)
    env.reset()
    cut = [env.step(np.zeros(1, np.float32))[3] for _ in range(5)]
    assert cut == [False] * 4 + [True]


def test_first_reset_uses_the_seed_and_later_ones_go_on() -> None:
    env, twin = (make_env(EnvironmentSpec(id="CartPole-v1"), seed=4) for _ in range(2))
    starts = [env.reset()[0].tolist() for _ in range(3)]
    assert [twin.reset(seed=4 if i == 0 else None)[0].tolist() for i in range(3)] == starts
    assert starts[0] != starts[1]


def test_tuple_observations_are_flattened() -> None:
    env = make_env(EnvironmentSpec(id="Blackjack-v1"), seed=0)
    assert env.observation_space.shape == (45,)
    assert env.reset()[0].sum() == 3


def test_no_checking_wrapper_slows_the_steps() -> None:
    assert str(make_env(EnvironmentSpec(id="CartPole-v1"), seed=0)).startswith("<MaskedSingleAgent<TimeLimit<CartPole")


def test_a_discrete_observation_outside_its_space_is_an_error() -> None:
    env = make_env(EnvironmentSpec(id="Taxi-v4"), seed=0)
    _, info = env.reset()
    env.unwrapped.step = lambda _: (500, 0.0, False, False, info)  # type: ignore[method-assign]
    with pytest.raises(EnvironmentStateError, match=r"step returned 500 as an observation; .* Discrete\(500\)"):
        env.step(0)


def test_the_actions_of_a_policy_begin_at_0() -> None:
    one = make_env(EnvironmentSpec(id="contract_envs:FromOne"), seed=0)
    assert one.action_space == spaces.Discrete(3)
    parts = make_env(EnvironmentSpec(id="contract_envs:Parts"), seed=0)
    assert parts.action_space == spaces.MultiDiscrete([2, 3])


def test_masks_of_integers_are_converted_and_their_size_is_looked_at() -> None:
    env = make_env(EnvironmentSpec(id="tiny:Corridor", kwargs={"masked_in": "info"}), seed=0)
    env.reset()
    assert masks_of(env).dtype == np.bool_
    env.unwrapped._mask = lambda: np.ones(3, np.int8)  # type: ignore[attr-defined]
    env.step(1)
    with pytest.raises(EnvironmentStateError, match=r"key action_mask of info has 3 values; Discrete\(2\) needs 2"):
        masks_of(env)
