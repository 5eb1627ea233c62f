"""What an AEC environment may return, and what is refused with which words."""

import random
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from tiny import LeastLost, masks_of, play_episode

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs import make_env
from rlsweep.errors import EnvironmentSpecError, EnvironmentStateError

SPEC = EnvironmentSpec(id="tiny:LeastLost")


def masked(mask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    observe = LeastLost.observe
    monkeypatch.setattr(LeastLost, "observe", lambda self, agent: observe(self, agent) | {"action_mask": mask})


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (np.ones(4, np.int8), r"the action mask of 'a' has 4 values; Discrete\(3\) needs 3"),
        (np.zeros(3, np.int8), r"the action mask of 'a' allows no action; True means legal"),
        (None, r"the action mask of 'a' is None; return 3 values"),
        ([[1, 1, 1]], r"the action mask of 'a' has the shape \(1, 3\); return a flat array"),
    ],
)
def test_masks_that_cannot_be_used(mask: Any, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    masked(mask, monkeypatch)
    with pytest.raises(EnvironmentStateError, match=said):
        make_env(SPEC, seed=0).reset()


def test_a_mask_under_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    masked([1, 1, 1], monkeypatch)
    space = spaces.Dict(legal=spaces.MultiBinary(3), action_mask=spaces.MultiBinary(3), me=spaces.Discrete(3))
    monkeypatch.setattr(LeastLost, "observation_space", lambda *_: space)
    observe = LeastLost.observe
    monkeypatch.setattr(LeastLost, "observe", lambda self, agent: observe(self, agent) | {"legal": [0, 1, 0]})
    env = make_env(SPEC.model_copy(update={"mask": "legal"}), seed=0)
    env.reset()
    assert masks_of(env).tolist() == [False, True, False]
    assert str(env.get_wrapper_attr("mask_source")) == "key legal of the observation"
    assert env.observation_space.shape == (3,), "neither mask is a part of the observation"


def test_actions_from_one_are_shifted(monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[int] = []
    monkeypatch.setattr(LeastLost, "action_space", lambda *_: spaces.Discrete(3, start=1))
    step = LeastLost.step

    def step_from_one(self: LeastLost, action: int | None) -> None:
        played.extend([] if action is None else [action])
        step(self, None if action is None else action - 1)

    monkeypatch.setattr(LeastLost, "step", step_from_one)
    env = make_env(SPEC, seed=0)
    own = [play_episode(env, random.Random(seed))[0][1] for seed in range(20)]
    assert env.action_space == spaces.Discrete(3)
    assert set(own) == {0, 1, 2}
    assert set(played) == {1, 2, 3}


def test_rewards_and_errors_name_the_agents_and_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LeastLost, "_accumulate_rewards", lambda self: self._cumulative_rewards.update(a=[1.0]))
    with pytest.raises(EnvironmentStateError, match=r"agent 'a' gets the reward \[1.0\], a list; return a number"):
        play_episode(make_env(SPEC, seed=0), random.Random(0))
    monkeypatch.setattr(LeastLost, "_accumulate_rewards", lambda _: 1 / 0)
    with pytest.raises(
        EnvironmentStateError, match=r"raises ZeroDivisionError: .* \(.*test_aec_contract.py, line \d+\)"
    ):
        play_episode(make_env(SPEC, seed=0), random.Random(0))


def test_spaces_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(LeastLost, "observation_space")
    monkeypatch.delattr(LeastLost, "action_space")
    with pytest.raises(
        EnvironmentSpecError, match=r"spaces cannot be read: .*; an AEC environment has possible_agents"
    ):
        make_env(SPEC, seed=0)
