"""Agent configs and base configs given as dicts, environments given as classes."""

import http.server
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rlsweep.config.given import class_id, given_config
from rlsweep.config.run import Mode
from rlsweep.errors import ConfigError
from rlsweep.planning.plan import Plan, Trial, make_plan, make_run

AGENT = {"agent_id": "ppo", "name": "PPO", "algorithm": "MaskablePPO", "version": 1, "learning_rate": 3e-4}
TOO_MANY = "configs[0]: contains more than 10000 values"
FAST = {**AGENT, "sweep_variant": "fast", "learning_rate": 1e-3}


def plan(*configs: Any, **given: Any) -> Plan:
    options: dict[str, Any] = {
        "base_config": None,
        "mode": Mode.SMOKE,
        "episodes": None,
        "total_timesteps": None,
        "seeds": 1,
        "with_base": False,
    }
    return make_plan(configs, **{**options, **given})


def run(config: Any, base_config: Any = None) -> Trial:
    return make_run(config, base_config=base_config, mode=Mode.FULL, episodes=1, total_timesteps=None)


def problems(*configs: Any, **given: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        plan(*configs, **given)
    return caught.value.problems


def test_dicts_are_configs_like_files(tmp_path: Path) -> None:
    file = tmp_path / "ppo_v1.yaml"
    file.write_text("agent_id: ppo\nname: PPO\nalgorithm: MaskablePPO\nversion: 1\nlearning_rate: 3.0e-4\n")
    from_dict, from_file = plan(AGENT).trials[0], plan(str(file)).trials[0]
    assert from_dict.config == from_file.config
    assert from_dict.config_hash == from_file.config_hash
    assert (from_dict.config_path, from_file.config_path) == (None, file)
    assert (from_dict.config_folder, from_file.config_folder) == (Path.cwd(), tmp_path)
    made = plan(FAST, file, AGENT, seeds=2)
    assert made.labels == ("ppo_v1 (" + str(file) + ")", "ppo_fast", "ppo_v1 (no file)")
    assert [trial.config_path for trial in made.trials] == [file, None, None] * 2
    assert len({trial.key for trial in made.trials}) == 6
    assert made.differing_keys["learning_rate"] == {
        made.labels[0]: 3e-4,
        "ppo_fast": 1e-3,
        "ppo_v1 (no file)": 3e-4,
    }


def test_the_same_dict_gives_the_same_keys() -> None:
    assert plan(AGENT, FAST).trials[0].key == plan(dict(reversed(AGENT.items()))).trials[0].key
    assert plan(AGENT).trials[0].key != plan({**AGENT, "gamma": 0.9}).trials[0].key
    assert plan(AGENT).trials[0].key != plan(AGENT, overrides=["gamma=0.9"]).trials[0].key


def test_overrides_and_defaults_are_layered_as_with_files() -> None:
    base = {"environment": "CartPole-v1", "n_envs": 2, "hyperparameters": {"gamma": 0.9, "ppo": {"ent_coef": 0.5}}}
    (trial,) = plan({**AGENT, "ppo": {"vf_coef": 0.1}}, base_config=base, overrides=["n_envs=4"]).trials
    assert trial.config.training.environment.id == "CartPole-v1"
    assert trial.config.training.n_envs == 4
    assert (trial.config.agent.gamma, trial.config.agent.ppo.ent_coef, trial.config.agent.ppo.vf_coef) == (
        0.9,
        0.5,
        0.1,
    )
    assert plan(AGENT, base_config=base).base_config_path is None
    assert run(AGENT, base).config.training.environment.id == "CartPole-v1"


def test_values_of_numpy_and_tuples_are_taken() -> None:
    config = {
        **AGENT,
        "learning_rate": np.float32(0.5),
        "n_steps": np.int64(128),
        "gamma": Fraction(1, 2),
        "network": {"net_arch": (32, np.int32(16))},
        "ppo": {"normalize_advantage": True},
    }
    agent = plan(config).trials[0].config.agent
    assert (agent.learning_rate, agent.n_steps, agent.gamma, agent.network.net_arch) == (0.5, 128, 0.5, (32, 16))


def test_a_mistake_names_the_config_the_key_the_value_and_the_way_out() -> None:
    wrong = {**AGENT, "learning_rat": 1e-3, "gamma": 1.5, "n_steps": "128"}
    found = problems(AGENT, wrong, base_config={"n_envs": 0, "environment": "CartPole-v1"})
    assert "base_config: n_envs: must be at least 1, got 0" in found
    assert any(problem.startswith("configs[1]: learning_rat: unknown key; ") for problem in found)
    assert any("learning_rate" in problem for problem in found)
    assert "configs[1]: gamma: must be at most 1, got 1.5" in found
    assert any(re.match(r"configs\[1\]: n_steps: must be a whole number, got '128'", problem) for problem in found)
    with pytest.raises(ConfigError, match=re.escape("config: name: is missing")):
        run({key: value for key, value in AGENT.items() if key != "name"})


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("learning_rate", np.zeros(2), "configs[0]: learning_rate: must be a number, text, true or false, a list or a"),
        ("learning_rate", lambda _: 0.1, "got builtins.function"),
        ("name", b"PPO", "got bytes"),
        ("gamma", float("nan"), "configs[0]: gamma: must be a finite number, got nan"),
        ("n_steps", 2**70, "configs[0]: n_steps: does not fit in a 64-bit integer"),
        ("description", "a\x1bb", "configs[0]: description: contains a control character"),
        ("ppo", {1: 2}, "configs[0]: ppo: a key must be text, got 1"),
    ],
)
def test_what_no_file_could_hold(key: str, value: Any, problem: str) -> None:
    assert any(problem in each for each in problems({**AGENT, key: value}))


def test_a_dict_that_holds_itself_and_one_that_is_huge() -> None:
    endless: dict[str, Any] = dict(AGENT)
    endless["exploration"] = {"once": endless, "twice": endless}
    assert problems(endless)[0] in ("configs[0]: nested deeper than 50 levels", TOO_MANY)
    assert problems({**AGENT, "exploration": {"values": list(range(20_000))}}) == (TOO_MANY,)
    assert len(problems({**AGENT, "exploration": {str(index): object() for index in range(100)}})) == 20


def test_two_dicts_that_nothing_tells_apart() -> None:
    (problem,) = problems(AGENT, FAST, {**AGENT, "description": "once more"})
    assert problem.startswith("configs[2]: same short name ppo_v1 and hyperparameters as configs[0]")
    assert plan(AGENT, {**AGENT, "gamma": 0.9}).labels[0].startswith("ppo_v1 (")


def test_with_base_takes_the_base_among_the_dicts() -> None:
    assert plan(FAST, AGENT, with_base=True).labels == ("ppo_fast", "ppo_v1")
    assert problems(FAST, with_base=True) == (
        "--with-base: configs[0] is a dict and has no folder; add ppo_v1 to configs",
    )


def test_nothing_given() -> None:
    assert problems() == ("No config file given; name files, folders or a pattern such as 'config/agents/*.yaml'",)


def test_an_environment_given_as_a_class() -> None:
    base = {"environment": {"id": http.server.HTTPServer, "kwargs": {"size": 3}}}
    training = plan(AGENT, base_config=base).base_training
    assert training.environment.id == "http.server:HTTPServer"
    assert plan(AGENT, base_config={"environment": Path}).base_training.environment.id.endswith(":Path")


def test_a_class_that_trials_cannot_import() -> None:
    class Local:
        pass

    (problem,) = problems(AGENT, base_config={"environment": Local})
    assert problem.startswith(
        "base_config: environment: class test_a_class_that_trials_cannot_import.<locals>.Local is"
    )
    in_notebook = type("MyEnv", (), {"__module__": "__main__"})
    with pytest.raises(ValueError, match=r"write it to a file such as my_env.py beside it, and import it: from my_env"):
        class_id(in_notebook)
    with pytest.raises(ConfigError, match="base: environment: class MyEnv is defined in a notebook or script"):
        given_config({"environment": in_notebook}, name="base")
