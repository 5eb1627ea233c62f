"""Spaces of every kind of entry, for property tests of draws."""

import math
from typing import Any

from hypothesis import strategies as st
from planned_space import BASE

from rlsweep.config.agent import AgentConfig
from rlsweep.config.given import GivenConfig
from rlsweep.config.problems import check
from rlsweep.config.training import TrainingConfig
from rlsweep.spaces.keys import base_values
from rlsweep.spaces.reading import read_space
from rlsweep.spaces.space import SearchSpace

EVERY_KIND: dict[str, Any] = {
    "learning_rate": {"log": [1e-5, 1e-2]},
    "gamma": {"uniform": [0.9, 0.999]},
    "n_steps": {"integer": [128, 1024], "step": 128},
    "batch_size": {"log_integer": [16, 512]},
    "n_epochs": {"integer": [1, 20]},
    "network.net_arch": {"choice": [[64, 64], [256], {"pi": [64], "vf": [32]}]},
    "ppo.ent_coef": {"log": [1e-4, 1e-1], "or": 0.0},
    "ppo.vf_coef": {"uniform": [0.25, 1.0], "step": 0.25},
    "ppo.target_kl": {"choice": [0.01, 0.03], "when": "n_epochs > 10"},
    "ppo.clip_range": {"uniform": [0.1, 0.3], "when": "ppo.target_kl == none"},
}
CONSTRAINTS = ["batch_size <= n_steps * n_envs"]
DEFAULTS, _ = check(AgentConfig, BASE)
assert DEFAULTS is not None


def space_of(entries: dict[str, Any], **keys: Any) -> SearchSpace:
    data = {"base": BASE, "space": entries} | keys
    return read_space(GivenConfig("configs[0]", data), more={})


def values_of(space: SearchSpace) -> dict[str, Any]:
    assert DEFAULTS is not None
    return base_values(DEFAULTS, TrainingConfig(), space.keys)


def numbers(low: float, high: float) -> st.SearchStrategy[list[float]]:
    """Both ends of a range."""
    number = st.floats(low, high, allow_subnormal=False)
    return st.lists(number, min_size=2, max_size=2, unique=True).map(sorted)


def whole(low: int, high: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(low, high), min_size=2, max_size=2, unique=True).map(sorted)


def stepped(ends: list[int]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"integer": st.just(ends), "step": st.integers(1, ends[1] - ends[0])})


ENTRIES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "learning_rate": st.fixed_dictionaries({"log": numbers(1e-9, 1.0)}),
    "gamma": st.fixed_dictionaries({"uniform": numbers(0.0, 1.0)}),
    "ppo.gae_lambda": st.fixed_dictionaries({"uniform": numbers(0.0, 1.0)}, optional={"or": st.just(1.0)}),
    "n_steps": whole(1, 5000).flatmap(stepped),
    "n_epochs": st.fixed_dictionaries({"integer": whole(1, 100)}),
    "batch_size": st.fixed_dictionaries({"log_integer": whole(2, 10**6)}),
    "network.net_arch": st.lists(st.lists(st.integers(1, 512), max_size=3), min_size=1, max_size=4, unique_by=str).map(
        lambda nets: {"choice": nets}
    ),
    "ppo.ent_coef": st.fixed_dictionaries({"log": numbers(1e-12, 10.0)}, optional={"or": st.just(0.0)}),
    "ppo.target_kl": st.just({"choice": [0.01, 0.03], "when": "gamma > 0.5 and n_epochs >= 2"}),
}


@st.composite
def spaces(draw: st.DrawFn) -> dict[str, Any]:
    keys = draw(st.lists(st.sampled_from(sorted(ENTRIES)), min_size=1, unique=True))
    return {key: draw(ENTRIES[key]) for key in keys}


def holds(entry: dict[str, Any], value: Any) -> bool:
    """Whether an entry has the value."""
    if "choice" in entry:
        return value in entry["choice"]
    if "or" in entry and value == entry["or"]:
        return True
    [ends] = [each for each in entry.values() if isinstance(each, list)]
    on_step = "step" not in entry or math.isclose((value - ends[0]) / entry["step"] % 1 % 0.999999, 0, abs_tol=1e-5)
    return ends[0] <= value <= ends[1] and on_step
