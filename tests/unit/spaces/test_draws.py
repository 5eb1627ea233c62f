"""Every draw is a valid agent config inside its space, and the same record gives the same draws."""

import math
from itertools import islice
from typing import Any
from unittest.mock import patch

import pytest
from drawn_spaces import CONSTRAINTS, EVERY_KIND, holds, space_of, spaces, values_of
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from planned_space import BASE, planned

from rlsweep.config.agent import AgentConfig
from rlsweep.config.differences import flat_hyperparameters
from rlsweep.config.layers import with_value
from rlsweep.config.problems import check
from rlsweep.spaces import search
from rlsweep.spaces.search import Search, draw_all
from rlsweep.spaces.space import SearchSpace


def check_draws(space: SearchSpace, entries: dict[str, Any], count: int) -> list[Any]:
    draws = Search(space, values_of(space))
    found = []
    for _ in range(count):
        drawn = draws.next()
        if drawn is None:
            break
        data: dict[str, Any] = BASE | {"sweep_variant": drawn.variant}
        for key, value in drawn.values.items():
            assert holds(entries[key], value), (key, value)
            data = with_value(data, key, value)
        _, problems = check(AgentConfig, data)
        assert problems == []
        found.append(drawn)
    assert len({each.variant for each in found}) == len(found), "names are unique"
    assert len({str(each.values) for each in found}) == len(found), "no config is drawn twice"
    return found


@pytest.mark.parametrize("sampler", ["random", "sobol"])
@settings(max_examples=40, deadline=None, derandomize=True, phases=[Phase.generate])
@given(entries=spaces(), seed=st.integers(0, 2**32 - 1), killed_at=st.integers(0, 5))
def test_any_space_is_drawn_from(sampler: str, entries: dict[str, Any], seed: int, killed_at: int) -> None:
    space = space_of(entries, sampler=sampler, seed=seed)
    with patch.object(search, "MOST_TRIES", 30):
        found = check_draws(space, entries, 5)
    assert check_draws(space, entries, len(found)) == found, "the same seed, the same configs"
    rebuilt = Search(space, values_of(space), found[:killed_at])
    assert [rebuilt.next() for _ in found[killed_at:]] == found[killed_at:], "after a kill drawing goes on as it would"


GRIDS = st.fixed_dictionaries(
    {},
    optional={
        "gamma": st.lists(st.floats(0, 1), min_size=1, max_size=3, unique=True).map(lambda values: {"choice": values}),
        "n_epochs": st.fixed_dictionaries({"integer": st.sampled_from([[1, 3], [9, 12]])}),
        "ppo.vf_coef": st.just({"uniform": [0.25, 1.0], "step": 0.25, "or": 0.0}),
        "ppo.target_kl": st.just({"choice": [0.01, 0.03], "when": "n_epochs > 10"}),
    },
).filter(bool)


@settings(max_examples=30, deadline=None, derandomize=True, phases=[Phase.generate])
@given(entries=GRIDS, seed=st.integers(0, 99), killed_at=st.integers(0, 5))
def test_a_grid_has_every_point_once(entries: dict[str, Any], seed: int, killed_at: int) -> None:
    space = space_of(entries, sampler="grid", seed=seed)
    assert space.points is not None
    found = check_draws(space, entries, space.points + 1)
    inside = {str(sorted(each.values.items())) for each in found}
    for epochs in range(9, 13) if entries.get("n_epochs") == {"integer": [9, 12]} else ():
        assert any(f"('n_epochs', {epochs})" in text for text in inside) or epochs == 10, "10 alone may be the base's"
    rebuilt = Search(space, values_of(space), found[:killed_at])
    assert list(islice(iter(rebuilt.next, None), len(found))) == found[killed_at:]


@pytest.mark.parametrize("sampler", ["random", "sobol"])
def test_every_kind_of_key_is_drawn_as_it_says(sampler: str) -> None:
    space = space_of(EVERY_KIND, sampler=sampler, constraints=CONSTRAINTS, seed=4)
    found = check_draws(space, EVERY_KIND, 120)
    assert len(found) == 120
    base = values_of(space)
    for drawn in found:
        values = base | drawn.values
        assert values["batch_size"] <= values["n_steps"]
        assert ("ppo.target_kl" in drawn.values) == (values["n_epochs"] > 10)
        assert ("ppo.clip_range" in drawn.values) == (values["ppo.target_kl"] is None)
    extra = [drawn for drawn in found if drawn.values["ppo.ent_coef"] == 0.0]
    assert 15 <= len(extra) <= 50, "about a quarter"
    assert {drawn.values["ppo.vf_coef"] for drawn in found} == {0.25, 0.5, 0.75, 1.0}
    assert {drawn.values["n_steps"] for drawn in found} == set(range(128, 1025, 128))
    below = [drawn for drawn in found if drawn.values["learning_rate"] < 10**-3.5]
    assert 45 <= len(below) <= 75, "half of the draws lie below the middle of the logarithms"


def test_sobol_fills_the_space_more_evenly_than_chance() -> None:
    space = space_of({"learning_rate": {"log": [1e-5, 1e-1]}}, configs=65)
    rates = [math.log10(drawn.values["learning_rate"]) for drawn in draw_all(space, values_of(space))]
    counts = [sum(-5 + k / 2 <= rate < -4.5 + k / 2 for rate in rates) for k in range(8)]
    assert len(rates) == 64
    assert max(counts) - min(counts) <= 2, counts


def test_values_have_few_digits_and_names_tell_them() -> None:
    entries = {"learning_rate": {"log": [1e-5, 1e-2]}, "gamma": {"uniform": [0.9, 0.999]}}
    space = space_of(entries, configs=30)
    for drawn in draw_all(space, values_of(space)):
        rate, gamma = drawn.values["learning_rate"], drawn.values["gamma"]
        assert rate == float(f"{rate:.1e}")
        assert gamma == round(gamma, 3)
        name, lr, named_gamma, value = drawn.variant.split("_")[:4]
        assert (name, named_gamma) == ("lr", "gamma")
        assert (float(lr), float(value.partition("-")[0])) == (rate, gamma)


def test_the_base_comes_first_and_its_values_are_not_drawn_again() -> None:
    entries = {"gamma": {"choice": [0.99, 0.9]}, "n_epochs": {"choice": [10, 5]}}
    plan = planned({"base": BASE, "sampler": "grid", "space": entries})
    assert plan.labels[0] == "a_v1"
    assert sorted(plan.labels[1:]) == ["a_gamma_0.99_n_epochs_5", "a_gamma_0.9_n_epochs_10", "a_gamma_0.9_n_epochs_5"]
    assert plan.space is not None
    assert plan.space["space"] == entries
    for trial in plan.trials[1:]:
        assert trial.config_path is None
        drawn = flat_hyperparameters(trial.config.agent)
        assert trial.config.agent.sweep_variant == f"gamma_{drawn['gamma']}_n_epochs_{drawn['n_epochs']}"
        assert drawn["ppo.ent_coef"] == 0.01, "the rest is the base's, complete"


@pytest.mark.parametrize("sampler", ["random", "sobol"])
def test_the_order_of_a_file_does_not_change_what_is_drawn(sampler: str) -> None:
    one, other = (
        space_of(dict(items), sampler=sampler) for items in (EVERY_KIND.items(), reversed(EVERY_KIND.items()))
    )
    assert [each.values for each in draw_all(one, values_of(one))] == [
        each.values for each in draw_all(other, values_of(other))
    ]
