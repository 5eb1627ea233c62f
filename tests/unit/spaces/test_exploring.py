"""What population-based training makes of the values that it copies."""

import math
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsweep.config.agent import AgentConfig
from rlsweep.config.given import GivenConfig
from rlsweep.config.problems import check
from rlsweep.config.training import TrainingConfig
from rlsweep.spaces.exploring import explored
from rlsweep.spaces.keys import base_values
from rlsweep.spaces.reading import read_space
from rlsweep.spaces.space import SearchSpace

BASE: dict[str, Any] = {"agent_id": "a", "name": "A", "algorithm": "PPO", "version": 1}
ENTRIES: dict[str, Any] = {
    "learning_rate": {"log": [1e-5, 1e-2]},
    "gamma": {"uniform": [0.9, 0.999]},
    "n_epochs": {"integer": [1, 20]},
    "batch_size": {"choice": [32, 64, 128]},
    "ppo.vf_coef": {"uniform": [0.25, 1.0], "step": 0.25},
    "ppo.ent_coef": {"log": [1e-4, 1e-1], "or": 0.0},
    "ppo.target_kl": {"choice": [0.01, 0.03], "when": "n_epochs > 10"},
}
STARTING = {
    "learning_rate": 3e-4,
    "gamma": 0.99,
    "n_epochs": 10,
    "batch_size": 64,
    "ppo.vf_coef": 0.5,
    "ppo.ent_coef": 0.01,
    "ppo.target_kl": None,
}


def space_of(entries: dict[str, Any], constraints: list[str] | None = None) -> tuple[SearchSpace, dict[str, Any]]:
    data = {"base": BASE, "space": entries, "constraints": constraints or []}
    space = read_space(GivenConfig("configs[0]", data), more={})
    config, _ = check(AgentConfig, BASE)
    assert config is not None
    return space, base_values(config, TrainingConfig(), space.keys)


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("learning_rate", 3e-4, {2.4e-4, 3.6e-4}),
        ("learning_rate", 1e-2, {8e-3, 1e-2}),  # 1.2e-2 is above the range
        ("gamma", 0.95, {0.9, 0.999}),  # 0.76 and 1.14 end at the ends
        ("n_epochs", 10, {8, 12}),
        ("n_epochs", 2, {1, 3}),  # 1.6 and 2.4 are rounded to 2
        ("n_epochs", 1, {1, 2}),
        ("batch_size", 64, {32, 128}),
        ("batch_size", 128, {64}),
        ("ppo.vf_coef", 0.5, {0.25, 0.75}),
        ("ppo.ent_coef", 0.01, {0.008, 0.012}),
    ],
)
def test_a_value_is_perturbed_within_its_range(key: str, value: float, allowed: set[float]) -> None:
    space, base = space_of({key: ENTRIES[key]})
    found = {explored(space, base, {key: value}, seed=seed, resampled=0)[key] for seed in range(20)}
    assert found == allowed


def test_a_quarter_is_drawn_anew() -> None:
    space, base = space_of({"learning_rate": ENTRIES["learning_rate"]})
    drawn = [explored(space, base, {"learning_rate": 3e-4}, seed=seed, resampled=0.25) for seed in range(1000)]
    anew = [each["learning_rate"] for each in drawn if each["learning_rate"] not in (2.4e-4, 3.6e-4)]
    assert 200 < len(anew) < 300
    middle = sorted(anew)[len(anew) // 2]
    assert math.log10(middle) == pytest.approx(-3.5, abs=0.4), "logarithms are drawn uniformly"


def test_values_beside_the_space_are_drawn_anew() -> None:
    space, base = space_of({key: ENTRIES[key] for key in ("learning_rate", "ppo.ent_coef")})
    for value in (1.0, "linear_0.0003"):
        found = explored(space, base, {"learning_rate": value, "ppo.ent_coef": 0.0}, seed=1, resampled=0)
        assert 1e-5 <= found["learning_rate"] <= 1e-2
        assert found["ppo.ent_coef"] == 0.0 or 1e-4 <= found["ppo.ent_coef"] <= 1e-1


def test_constraints_hold_or_nothing_changes() -> None:
    space, base = space_of({key: ENTRIES[key] for key in ("n_epochs", "batch_size")}, ["batch_size >= 16 * n_epochs"])
    for seed in range(50):
        found = explored(space, base, {"n_epochs": 4, "batch_size": 64}, seed=seed, resampled=0.25)
        assert found["batch_size"] >= 16 * found["n_epochs"]
    space, base = space_of({"n_epochs": ENTRIES["n_epochs"]}, ["n_epochs == 10"])
    assert explored(space, base, {"n_epochs": 10}, seed=1, resampled=0) == {"n_epochs": 10}


def test_a_key_that_is_not_active_has_the_value_of_the_base() -> None:
    space, base = space_of({key: ENTRIES[key] for key in ("n_epochs", "ppo.target_kl")})
    before = {"n_epochs": 12, "ppo.target_kl": 0.01}
    found = [explored(space, base, before, seed=seed, resampled=0) for seed in range(30)]
    assert {(each["n_epochs"], each["ppo.target_kl"]) for each in found} == {(10, None), (14, 0.03)}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_after_any_number_of_changes_a_config_is_valid_and_inside_its_space(seed: int, times: int) -> None:
    space, base = space_of(ENTRIES, ["batch_size >= n_epochs"])
    values: dict[str, Any] = dict(STARTING)
    draws = Random(seed)
    for _ in range(times):
        one = draws.getrandbits(32)
        after = explored(space, base, values, seed=one, resampled=0.25)
        assert after == explored(space, base, values, seed=one, resampled=0.25)
        values = after
    assert values["batch_size"] >= values["n_epochs"]
    assert 1e-5 <= values["learning_rate"] <= 1e-2
    assert 0.9 <= values["gamma"] <= 0.999
    assert values["ppo.vf_coef"] in (0.25, 0.5, 0.75, 1.0)
    assert (values["ppo.target_kl"] is None) == (values["n_epochs"] <= 10)
    agent: dict[str, Any] = {**BASE, "ppo": {}}
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        (agent[section] if section else agent)[name] = value
    _, problems = check(AgentConfig, agent)
    assert problems == []
