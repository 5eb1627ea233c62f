"""The user's wrappers and stacked observations: their order, and what they leave of masks, seeds and outcomes."""

import random
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from tiny import masks_of, play_episode

from rlsweep.config.training import EnvironmentSpec, WrapperSpec
from rlsweep.envs import make_env
from rlsweep.envs.pickling import pickling_problem
from rlsweep.envs.wrappers import with_frames
from rlsweep.errors import EnvironmentSpecError


class Times(gym.ObservationWrapper[Any, Any, Any]):
    """Multiplies a Box observation."""

    def __init__(self, env: gym.Env[Any, Any], by: float) -> None:
        super().__init__(env)
        self._by = by
        box = env.observation_space
        assert isinstance(box, spaces.Box)
        self.observation_space = spaces.Box(-np.inf, np.inf, box.shape, np.float32)

    def observation(self, observation: Any) -> Any:
        return (observation * self._by).astype(np.float32)


class Plus(Times):
    def observation(self, observation: Any) -> Any:
        return (observation + self._by).astype(np.float32)


class GoalOnly(gym.ObservationWrapper[Any, Any, Any]):
    """Keeps one entry of a Dict, and so drops the action mask."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        assert isinstance(env.observation_space, spaces.Dict)
        self.observation_space = env.observation_space["goal"]

    def observation(self, observation: Any) -> Any:
        return observation["goal"]


class Halved(gym.ActionWrapper[Any, Any, Any]):
    """Offers half of the actions."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        self.action_space = spaces.Discrete(int(env.action_space.n) // 2)  # type: ignore[attr-defined]

    def action(self, action: Any) -> Any:
        return action


class MaskedHalf(Halved):
    def action_masks(self) -> np.ndarray:
        return np.arange(int(self.action_space.n)) == 1


class Named(gym.ObservationWrapper[Any, Any, Any]):
    """Gives a Dict observation of two entries."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        assert isinstance(env.observation_space, spaces.Box)
        self.observation_space = spaces.Dict({"a": env.observation_space, "b": spaces.Discrete(2)})

    def observation(self, observation: Any) -> Any:
        return {"a": observation, "b": 1}


class Pictures(gym.Env[Any, Any]):
    """Gives images, each filled with the number of steps so far."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.observation_space = spaces.Box(0, 255, shape, np.uint8)
        self.action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._steps = 0
        return self._picture(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._steps += 1
        return self._picture(), 0.0, False, False, {}

    def _picture(self) -> Any:
        shape = self.observation_space.shape
        assert shape is not None
        return np.full(shape, self._steps, np.uint8)


class Allowed(gym.Env[Any, Any]):
    """Has its mask under the key `allowed`."""

    observation_space = spaces.Dict({"goal": spaces.Box(0, 3, (1,)), "allowed": spaces.MultiBinary(2)})
    action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return {"goal": np.ones(1, np.float32), "allowed": np.array([1, 0], np.int8)}, {}


def not_an_env(env: gym.Env[Any, Any]) -> object:
    return object()


def wrapped(env_id: str, *wrappers: str | WrapperSpec, **keys: Any) -> EnvironmentSpec:
    named = [WrapperSpec(id=f"test_wrappers:{each}") if isinstance(each, str) else each for each in wrappers]
    return EnvironmentSpec(id=env_id, wrappers=tuple(named), **keys)


def by(name: str, number: float) -> WrapperSpec:
    return WrapperSpec(id=f"test_wrappers:{name}", kwargs={"by": number})


@pytest.mark.parametrize("env_id", ["CartPole-v1", "open_spiel/tic_tac_toe", "pettingzoo/tictactoe_v3"])
def test_first_wrapper_is_the_innermost(env_id: str) -> None:
    bare, env = (
        make_env(spec, seed=4) for spec in (wrapped(env_id), wrapped(env_id, by("Times", 3.0), by("Plus", 1.0)))
    )
    for _ in range(3):
        assert env.reset()[0] == pytest.approx(bare.reset()[0] * 3 + 1), "the same episodes, seen through the wrappers"


def test_gymnasiums_own_wrappers() -> None:
    env = make_env(wrapped("CartPole-v1", WrapperSpec(id="gymnasium.wrappers:TimeAwareObservation")), seed=0)
    env.reset()
    assert env.step(0)[0].tolist()[-1] == 1, "one step so far"


@pytest.mark.parametrize("stack", [1, 3])
@pytest.mark.parametrize("env_id", ["open_spiel/tic_tac_toe", "pettingzoo/tictactoe_v3", "tiny:Corridor"])
def test_masks_seeds_and_outcomes_survive(env_id: str, stack: int) -> None:
    wrapper = "GoalOnly" if env_id == "tiny:Corridor" else by("Times", 2.0)
    spec = wrapped(env_id, wrapper, frame_stack=stack)
    bare, env = make_env(EnvironmentSpec(id=env_id), seed=1), make_env(spec, seed=1)
    rng = random.Random(3)
    for _ in range(4):
        for each in (bare, env):
            each.reset()
        over = False
        while not over:
            assert masks_of(env).tolist() == masks_of(bare).tolist()
            action = rng.choice(np.flatnonzero(masks_of(bare)).tolist())
            *_, expected = bare.step(action)
            _, _, terminated, truncated, info = env.step(action)
            over = terminated or truncated
        assert info["outcome"] == expected["outcome"]
    assert pickling_problem(make_env(spec, seed=2), seed=2) is None or env_id.startswith("pettingzoo/")


def test_dict_of_a_wrapper_is_flattened_in_the_order_of_the_keys() -> None:
    game = make_env(wrapped("open_spiel/tic_tac_toe", "Named"), seed=0)
    assert game.observation_space.shape == (29,)
    assert game.reset()[0].tolist()[-2:] == [0.0, 1.0]
    single = make_env(wrapped("CartPole-v1", "Named", observation_keys=("b",)), seed=0)
    assert single.reset()[0].tolist() == [0.0, 1.0]


def test_wrapper_that_changes_actions_brings_its_own_masks() -> None:
    env = make_env(wrapped("open_spiel/tic_tac_toe", "MaskedHalf"), seed=0)
    env.reset()
    assert masks_of(env).tolist() == [False, True, False, False]
    assert make_env(wrapped("tiny:Corridor", "Halved"), seed=0).action_space == spaces.Discrete(1)
    message = r"tic_tac_toe', wrappers\[0\]: test_wrappers:Halved changes the actions from Discrete\(9\) to Discrete\(4"
    with pytest.raises(EnvironmentSpecError, match=message):
        make_env(wrapped("open_spiel/tic_tac_toe", "Halved"), seed=0)
    unmasked = make_env(wrapped("tiny:OwnMasks", "Halved", mask="none"), seed=0)
    unmasked.reset()
    assert masks_of(unmasked).tolist() == [True]


def test_mask_under_a_key_of_its_own_survives_a_wrapper_that_drops_it() -> None:
    env = make_env(wrapped("test_wrappers:Allowed", "GoalOnly", mask="allowed"), seed=0)
    env.reset()
    assert masks_of(env).tolist() == [True, False]


@pytest.mark.parametrize(
    ("wrapper", "message"),
    [
        ("test_wrappers:Timse", r"'CartPole-v1', wrappers\[0\]: 'test_wrappers' has no 'Timse'; did you mean Times\?"),
        ("no_such:Wrapper", r"'CartPole-v1', wrappers\[0\]: module 'no_such' cannot be imported"),
        (
            "test_wrappers:Times",
            r"wrappers\[0\]: test_wrappers:Times cannot wrap it with kwargs \{\}: TypeError: .*'by'",
        ),
        (
            "test_wrappers:not_an_env",
            r"wrappers\[0\]: test_wrappers:not_an_env returns a object; a wrapper must return",
        ),
    ],
)
def test_wrapper_that_cannot_be_used(wrapper: str, message: str) -> None:
    with pytest.raises(EnvironmentSpecError, match=message):
        make_env(wrapped("CartPole-v1", WrapperSpec(id=wrapper)), seed=0)


def test_stacked_vectors_are_one_vector_newest_last() -> None:
    bare, env = (make_env(EnvironmentSpec(id="CartPole-v1", frame_stack=n), seed=5) for n in (1, 3))
    assert env.observation_space.shape == (12,)
    first = bare.reset()[0]
    assert env.reset()[0].tolist() == [*first, *first, *first]
    second = bare.step(0)[0]
    seen, *_ = env.step(0)
    assert seen.tolist() == [*first, *first, *second]
    third = bare.step(1)[0]
    assert env.step(1)[0].tolist() == [*first, *second, *third]
    assert seen.tolist() == [*first, *first, *second], "an observation was overwritten by the next step"
    assert env.observation_space.contains(seen)


def test_stacked_dict_observations_are_flattened_without_masks() -> None:
    env = make_env(EnvironmentSpec(id="tiny:Corridor", frame_stack=2), seed=0)
    assert env.observation_space.shape == (10,)
    play_episode(env, random.Random(0))
    assert masks_of(env).shape == (2,), "only the newest mask counts"


@pytest.mark.parametrize(
    ("shape", "stacked", "channels"),
    [
        ((6, 5, 3), (6, 5, 12), [0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2]),
        ((3, 6, 5), (12, 6, 5), [0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2]),
        ((6, 5), (4, 6, 5), [0, 0, 1, 2]),
    ],
)
def test_stacked_images_are_images(shape: tuple[int, ...], stacked: tuple[int, ...], channels: list[int]) -> None:
    env = with_frames(Pictures(shape), 4)
    env.reset()
    env.step(0)
    seen, *_ = env.step(0)
    assert (env.observation_space.shape, env.observation_space.dtype) == (stacked, np.uint8)
    assert env.observation_space.contains(seen)
    assert (seen[0, 0, :] if stacked[-1] == 12 else seen[:, 0, 0]).tolist() == channels


@pytest.mark.parametrize("wrapper", ["TimeAwareObservation", "FlattenObservation", "ClipReward"])
def test_copies_of_gymnasiums_wrappers_play_on_during_an_episode(wrapper: str) -> None:
    # each keeps a lambda, which plain pickle refuses
    kwargs = {"max_reward": 0.5} if wrapper == "ClipReward" else {}
    named = WrapperSpec(id=f"gymnasium.wrappers:{wrapper}", kwargs=kwargs)
    spec = EnvironmentSpec(id="CartPole-v1", wrappers=(named,), frame_stack=3)
    assert pickling_problem(make_env(spec, seed=5), seed=5) is None
