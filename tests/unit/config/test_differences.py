from typing import Any

import pytest

from rlsweep.config.agent import AgentConfig, Hyperparameters
from rlsweep.config.differences import (
    ADDED_KEYS,
    differing_keys,
    flat_hyperparameters,
    flat_record,
    hyperparameter_hash,
    labels,
)


def agent(algorithm: str = "PPO", **keys: Any) -> AgentConfig:
    return AgentConfig.model_validate(
        {"agent_id": "a", "name": "A", "algorithm": algorithm, "version": 1, **keys}, strict=False
    )


OF_0_1 = {
    "MaskablePPO": "bd95e6d15e3e1aa4bb506593e2126aee80d485f3fe060298d2a3fd0db094740c",
    "PPO": "c974d09e37999140e2cddf2a76aad3245d15dbf07e26bad93133b35248635da3",
    "A2C": "51b24c6c29a053e474b7a149e2705971e3fa383fde6e52804d8b7acf9b2d946e",
}
"""Hashes of the default hyperparameters in version 0.1.0."""


@pytest.mark.parametrize("algorithm", OF_0_1)
def test_keys_that_were_added_leave_hashes_as_they_were(algorithm: str) -> None:
    assert hyperparameter_hash(agent(algorithm)) == OF_0_1[algorithm]


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("optimizer", "eps", 1e-8),
        ("optimizer", "weight_decay", 0.1),
        ("network", "ortho_init", False),
        ("network", "log_std_init", -2.0),
        ("network", "features_extractor", "a:B"),
        ("network", "features_extractor_kwargs", {"features_dim": 8}),
        ("ppo", "use_sde", True),
        ("ppo", "sde_sample_freq", 4),
    ],
)
def test_an_added_key_counts_in_hashes_and_differences(section: str, key: str, value: Any) -> None:
    changed = agent(**{section: {key: value}})
    assert hyperparameter_hash(changed) != OF_0_1["PPO"]
    found = differing_keys({"ours": flat_hyperparameters(changed), "base": flat_hyperparameters(agent())})
    assert found == {f"{section}.{key}": {"ours": value, "base": ADDED_KEYS[f"{section}.{key}"]}}


def test_added_keys_have_the_defaults_of_the_model() -> None:
    defaults = Hyperparameters().model_dump(mode="json")
    assert {key: defaults[key.split(".")[0]][key.split(".")[1]] for key in ADDED_KEYS} == ADDED_KEYS


def test_a_record_of_0_1_differs_from_todays_by_no_key_that_it_lacks() -> None:
    today = agent().model_dump(mode="json")
    before = {key: value for key, value in today.items() if key != "optimizer"}
    for section in ("network", "ppo"):
        before[section] = {key: value for key, value in today[section].items() if f"{section}.{key}" not in ADDED_KEYS}
    assert differing_keys({"today": flat_record(today), "before": flat_record(before)}) == {}
    assert flat_record({}) == {}


def test_a_name_of_its_own_is_enough() -> None:
    assert labels(["one", "two"], ["a.yaml", "a.yaml"], ["1", "2"]) == ("one", "two")


def test_names_that_are_shared_come_with_what_tells_them_apart() -> None:
    names, files, hashes = ["x"] * 4 + ["y"], ["a", "b", "b", "c", "a"], ["1" * 64, "2" * 64, "3" * 64, "2" * 64, "1"]
    found = labels(names, files, hashes)
    assert found == ("x (a)", "x (b, 2222222)", "x (b, 3333333)", "x (c)", "y")
    assert len(set(found)) == len(found)
    assert labels(["x", "x"], ["a", "a"], ["1", "2"]) == ("x (1)", "x (2)")
