"""Hyperparameters with a value for each of several env steps."""

import json
from pathlib import Path
from typing import Any

import pytest

from rlsweep.config.agent import AgentConfig
from rlsweep.config.differences import hyperparameter_hash
from rlsweep.config.given import given_config
from rlsweep.config.keys import leaf_keys
from rlsweep.config.loading import load_agent
from rlsweep.config.overrides import parse_overrides
from rlsweep.config.stepped import every_value, in_words, is_stepped, last_value, may_change, value_at, with_step
from rlsweep.errors import ConfigError

HEAD = "agent_id: a\nname: a\nalgorithm: PPO\nversion: 1\n"


def load(tmp_path: Path, text: str, *overrides: str) -> AgentConfig:
    file = tmp_path / "a.yaml"
    file.write_text(HEAD + text)
    return load_agent(file, {}, parse_overrides(overrides)).config


CHANGING = [key for key in leaf_keys(AgentConfig) if may_change(key)]
VALUES: dict[str, tuple[Any, Any]] = {"batch_size": (64, 32), "n_epochs": (10, 4)}


def test_eleven_keys_may_change() -> None:
    assert len(CHANGING) == 11
    assert not may_change("n_steps")
    assert not may_change("network.net_arch")


@pytest.mark.parametrize("key", CHANGING)
def test_yaml_json_dicts_and_set_give_one_value(tmp_path: Path, key: str) -> None:
    first, second = VALUES.get(key, (0.5, 0.25))
    section, _, name = key.rpartition(".")
    indent = "  " if section else ""
    above = f"{section}:\n" if section else ""
    config = load(tmp_path, f"{above}{indent}{name}: {{0: {first}, 40_960: {second}}}\n")
    holder = config.ppo if section else config
    expected = {"0": first, "40960": second}

    assert getattr(holder, name) == expected
    assert load(tmp_path, "", f"{key}={{0: {first}, 40960: {second}}}") == config
    inner: dict[str, Any] = {name: {0: first, 40960: second}}
    data = {"agent_id": "a", "name": "a", "algorithm": "PPO", "version": 1, **({section: inner} if section else inner)}
    assert load_agent(given_config(data, name="configs[0]"), {}, ()).config == config
    record = json.loads(config.model_dump_json())
    assert AgentConfig.model_validate_json(json.dumps(record)) == config


def test_steps_that_change_nothing_are_left_out(tmp_path: Path) -> None:
    plain = load(tmp_path, "gamma: 0.9\n")
    assert load(tmp_path, "gamma: {0: 0.9}\n") == plain
    assert load(tmp_path, "gamma: {0: 0.9, 100: 0.9}\n") == plain
    assert hyperparameter_hash(load(tmp_path, "gamma: {0: 0.9, 9: 0.9, 100: 0.8}\n")) == hyperparameter_hash(
        load(tmp_path, "gamma: {0: 0.9, 100: 0.8}\n")
    )
    assert hyperparameter_hash(load(tmp_path, "gamma: {0: 0.9, 100: 0.8}\n")) != hyperparameter_hash(plain)


def test_optional_keys_may_have_no_value_for_a_while(tmp_path: Path) -> None:
    config = load(tmp_path, "ppo: {target_kl: {0: null, 100: 0.02}, clip_range_vf: {0: 0.2, 100: null}}\n")
    assert config.ppo.target_kl == {"0": None, "100": 0.02}
    assert config.ppo.clip_range_vf == {"0": 0.2, "100": None}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("gamma: {100: 0.9}", "gamma: the first env step must be 0, got 100; write the value from the start too"),
        ("gamma: {0: 0.9, 20: 0.8, 10: 0.7}", "gamma: the env steps must rise, got 10 after 20; put them in order"),
        ("gamma: {0: 0.9, 1.5: 0.8}", "gamma: '1.5' is not a number of env steps"),
        ("gamma: {0: 0.9, -1: 0.8}", "gamma: '-1' is not a number of env steps"),
        ("gamma: {choice: [0.9, 0.8]}", "gamma: 'choice' is not a number of env steps; write env steps from 0 on"),
        ("gamma: {}", "gamma: is an empty mapping; write env steps"),
        ("gamma: {0: 0.9, 10: 1.5}", "gamma.10: must be at most 1, got 1.5"),
        ("batch_size: {0: 64, 10: 1.5}", "batch_size.10: must be a whole number, got 1.5"),
        ("learning_rate: {0: linear_3.0e-4, 10: 1.0e-4}", "'linear_3.0e-4' at env step 0 is no number; write numbers"),
        ("n_steps: {0: 512, 1024: 1024}", "n_steps: cannot change while a run trains; give it one value"),
        ("network: {net_arch: {0: [64], 9: [8]}}", "network.net_arch: cannot change while a run trains; give it one"),
        ("ppo: {normalize_advantage: {0: true, 9: false}}", "ppo.normalize_advantage: cannot change while a run"),
        ("0: 0.9", "key 0 must be text; put it in quotes"),
        ("network: {features_extractor_kwargs: {0: 1}}", "key 0 must be text; put it in quotes"),
    ],
)
def test_bad_steps_are_told_with_the_way_out(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, text + "\n")
    [told] = refused.value.problems
    assert told.startswith(f"{tmp_path / 'a.yaml'}: ")
    assert problem in told


def test_bad_steps_on_the_command_line() -> None:
    with pytest.raises(ConfigError, match=r"--set gamma: the first env step must be 0, got 5"):
        parse_overrides(["gamma={5: 0.9}"])
    with pytest.raises(ConfigError, match=r"--set n_steps: cannot change while a run trains"):
        parse_overrides(["n_steps={0: 128, 5: 256}"])


def test_value_at() -> None:
    value = {"0": 3.0, "100": 2.0, "1000": 1.0}
    assert [value_at(value, step) for step in (0, 99, 100, 999, 1000, 10**9)] == [3.0, 3.0, 2.0, 2.0, 1.0, 1.0]
    assert value_at(0.5, 7) == 0.5
    assert value_at("linear_0.1", 7) == "linear_0.1"
    assert last_value(value) == 1.0
    assert every_value(value) == (3.0, 2.0, 1.0)
    assert every_value(2) == (2,)


def test_with_step_appends_and_replaces() -> None:
    once = with_step(3.0, 100, 2.0)
    assert once == {"0": 3.0, "100": 2.0}
    assert with_step(once, 100, 1.0) == {"0": 3.0, "100": 1.0}
    assert with_step(once, 100, 3.0) == 3.0
    assert with_step(once, 200, 2.0) == once
    assert with_step(once, 1000, 1.0) == {"0": 3.0, "100": 2.0, "1000": 1.0}
    assert with_step(3.0, 0, 2.0) == 2.0
    with pytest.raises(ValueError, match="changes at env step 100, which is after 50"):
        with_step(once, 50, 1.0)
    with pytest.raises(ValueError, match="linear_3e-4 is a linear schedule"):
        with_step("linear_3e-4", 50, 1.0)


def test_in_words() -> None:
    value = {"0": 3e-4, "40960": 2.4e-4}
    assert is_stepped(value)
    assert not is_stepped({"pi": [64], "vf": [64]})
    assert in_words(value) == "0.0003 → 0.00024 (40,960)"
