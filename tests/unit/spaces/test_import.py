"""Sweeps of W&B, hyperparameters of rl-zoo and distributions of Optuna, translated: what comes out is drawn from."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from planned_space import planned

from rlsweep.api.importing import import_file
from rlsweep.config.given import GivenConfig
from rlsweep.config.loading import load_agent, load_training
from rlsweep.errors import ConfigError, InputError
from rlsweep.spaces.foreign.importing import import_data
from rlsweep.spaces.reading import read_space

ZOO = Path(__file__).parents[2] / "data" / "rl_zoo" / "ppo_cartpole.yml"
WANDB = """
program: train.py
method: {method}
metric: {{name: reward, goal: maximize}}
run_cap: 20
parameters:
  lr: {{values: [1e-4, 3e-4]}}
  gamma: {{values: [0.98, 0.99]}}
  clip_coef: {{value: 0.1}}
  env_id: {{value: CartPole-v1}}
  n_envs: {{values: [1, 2]}}
  track: {{value: true}}
  model: {{parameters: {{n_epochs: {{values: [5, 6]}}}}}}
"""
RANGES: list[tuple[str, dict[str, Any], Any]] = [
    ("lr", {"min": 1e-5, "max": 1e-3}, {"uniform": [1e-5, 1e-3]}),
    ("lr", {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-3}, {"log": [1e-5, 1e-3]}),
    ("lr", {"distribution": "log_uniform", "min": -11.5, "max": -6.9}, {"log": [1.01e-5, 1.01e-3]}),
    ("lr", {"distribution": "inv_log_uniform_values", "min": 1e-5, "max": 1e-3}, {"log": [1e-5, 1e-3]}),
    ("n_epochs", {"min": 2, "max": 10}, {"integer": [2, 10]}),
    ("n_steps", {"distribution": "uniform", "min": 128, "max": 512}, {"integer": [128, 512]}),
    ("n_steps", {"distribution": "log_uniform_values", "min": 128, "max": 512}, {"log_integer": [128, 512]}),
    (
        "gae_lambda",
        {"distribution": "q_uniform", "min": 0.8, "max": 1.0, "q": 0.05},
        {"uniform": [0.8, 1.0], "step": 0.05},
    ),
    ("net_arch", {"values": [[64, 64], [256]]}, {"choice": [[64, 64], [256]]}),
    ("activation_fn", {"values": ["nn.Tanh", "nn.ReLU"]}, {"choice": ["tanh", "relu"]}),
    ("gamma", {"distribution": "normal", "mu": 0.9, "sigma": 0.1}, "normal has no ends; write a range"),
    ("gamma", {"min": 0.9, "max": 1.5}, "must be at most 1, got 1.5"),
    ("lr", {"distribution": "log_uniform_values", "min": 0, "max": 1}, "log: the low end must be above 0, got 0"),
    ("gamma", {"distribution": "cauchy", "min": 0, "max": 1}, "its distribution 'cauchy' has no counterpart"),
    ("gamma", {"min": 0.9}, "has neither values nor two numbers as min and max"),
    ("lr", {"distribution": "log_uniform", "min": -11, "max": 500}, "exp(500) is beyond what a range may have"),
    ("dropout", {"values": [0.1, 0.2]}, "rlsweep has no such key"),
    ("gamma", 3, "must be a mapping, got 3"),
]


def written(folder: Path, name: str, data: Any) -> Path:
    path = folder / name
    path.write_text(data if isinstance(data, str) else yaml.safe_dump(data))
    return path


@pytest.mark.parametrize(("method", "sampler", "configs"), [("grid", "grid", 9), ("random", "random", 9)])
def test_a_sweep_of_wandb_becomes_a_space_with_its_base(
    tmp_path: Path, method: str, sampler: str, configs: int
) -> None:
    done = import_file(written(tmp_path, "sweep.yaml", WANDB.format(method=method)), folder=tmp_path / "ours")
    space, base, training = done.files
    assert (space.name, base.name, training.name) == ("sweep_space.yaml", "sweep_v1.yaml", "sweep_training.yaml")
    assert load_training(training, ()).environment.id == "CartPole-v1"
    assert load_agent(base, {}, ()).config.ppo.clip_range == 0.1
    assert yaml.safe_load(space.read_text()) == {
        "base": "sweep_v1.yaml",
        "sampler": sampler,
        "configs": 20,
        "space": {
            "learning_rate": {"choice": [1e-4, 3e-4]},
            "gamma": {"choice": [0.98, 0.99]},
            "n_epochs": {"choice": [5, 6]},
        },
    }
    assert done.left_out == {
        "track": "rlsweep has no such key",
        "n_envs": "is the same in all trials of a sweep; set it in the training config (--base-config)",
        "metric": "a race is told its objective: rlsweep race --objective",
    }
    assert done.command == f"rlsweep plan {space} --base-config {training}"
    space.write_text(space.read_text().replace("configs: 20\n", ""))
    plan = planned(space, base_config=training)
    assert len(plan.labels) == configs
    assert {trial.config.agent.ppo.clip_range for trial in plan.trials} == {0.1}


@pytest.mark.parametrize(("name", "given", "expected"), RANGES)
def test_each_parameter_of_wandb_is_translated_or_named(name: str, given: Any, expected: Any) -> None:
    data = {"method": "random", "parameters": {name: given, "clip_coef": {"min": 0.1, "max": 0.3}}}
    found = import_data(data, "sweep")
    space = yaml.safe_load(found.files["sweep_space.yaml"])["space"]
    if isinstance(expected, str):
        assert expected in found.left_out[name]
        assert list(space) == ["ppo.clip_range"]
        return
    [(_, entry)] = [each for each in space.items() if each[0] != "ppo.clip_range"]
    assert entry == expected


def test_what_is_not_quite_the_same_is_said() -> None:
    parameters = {
        "lr": {"distribution": "inv_log_uniform_values", "min": 1e-5, "max": 1e-3},
        "gamma": {"values": [0.9, 0.99], "probabilities": [0.1, 0.9]},
    }
    found = import_data({"method": "bayes", "parameters": parameters}, "sweep")
    assert found.changed == {
        "lr": "inv_log_uniform_values is written as log",
        "gamma": "values are drawn alike, without `probabilities`",
        "method": "bayes is tpe here, which draws configs while a race runs",
    }
    assert "sampler: tpe\n" in found.files["sweep_space.yaml"]
    assert found.command.startswith("rlsweep plan sweep_space.yaml --race ")
    with_range = import_data({"method": "grid", "parameters": {"lr": {"min": 0.1, "max": 0.2}}}, "sweep")
    assert with_range.changed == {"method": "a grid needs single values, and a range has none; sobol stands in"}


OPTUNA_JSON = {
    "learning_rate": {
        "name": "FloatDistribution",
        "attributes": {"low": 1e-5, "high": 1e-2, "log": True, "step": None},
    },
    "n_steps": {"name": "IntDistribution", "attributes": {"low": 128, "high": 1024, "log": False, "step": 128}},
    "gamma": {"name": "CategoricalDistribution", "attributes": {"choices": [0.9, 0.99]}},
    "ent_coef": {"name": "LogUniformDistribution", "attributes": {"low": 1e-4, "high": 0.1}},
    "n_epochs": {"name": "IntUniformDistribution", "attributes": {"low": 1, "high": 20}},
    "vf_coef": {"name": "DiscreteUniformDistribution", "attributes": {"low": 0.25, "high": 1.0, "q": 0.25}},
}
OPTUNA_PLAIN = {
    "learning_rate": {"type": "float", "low": 1e-5, "high": 1e-2, "log": True},
    "n_steps": {"type": "int", "low": 128, "high": 1024, "step": 128},
    "gamma": {"type": "categorical", "choices": [0.9, 0.99]},
    "ent_coef": {"low": 1e-4, "high": 0.1, "log": True},
    "n_epochs": {"low": 1, "high": 20},
    "vf_coef": {"low": 0.25, "high": 1.0, "step": 0.25},
}


@pytest.mark.parametrize("given", [OPTUNA_JSON, OPTUNA_PLAIN, {"n_trials": 5, "search_space": OPTUNA_PLAIN}])
def test_distributions_of_optuna_become_a_space(tmp_path: Path, given: dict[str, Any]) -> None:
    more = {"max_grad_norm": 0.7, "buffer": {"type": "int", "low": 1, "high": 3}}
    holder = given.get("search_space", given)
    path = written(
        tmp_path,
        "study.json",
        json.dumps({**given, "search_space": {**holder, **more}} if "search_space" in given else {**given, **more}),
    )
    done = import_file(path, folder=tmp_path / "ours")
    space, base = done.files
    assert yaml.safe_load(space.read_text())["space"] == {
        "learning_rate": {"log": [1e-5, 1e-2]},
        "n_steps": {"integer": [128, 1024], "step": 128},
        "gamma": {"choice": [0.9, 0.99]},
        "ppo.ent_coef": {"log": [1e-4, 0.1]},
        "n_epochs": {"integer": [1, 20]},
        "ppo.vf_coef": {"uniform": [0.25, 1.0], "step": 0.25},
    }
    assert load_agent(base, {}, ()).config.ppo.max_grad_norm == 0.7
    assert done.left_out == {"buffer": "rlsweep has no such key"}
    assert len(planned(space).labels) == (5 if "n_trials" in given else 16)


def test_hyperparameters_of_rl_zoo_become_configs(tmp_path: Path) -> None:
    done = import_file(ZOO, folder=tmp_path)
    agent, training = done.files
    assert load_agent(agent, {}, ()).config.n_epochs == 20
    assert load_training(training, ()).total_timesteps == 100_000
    assert done.command == f"rlsweep train --agent-config {agent} --base-config {training}"


def test_a_file_that_is_given_to_a_sweep_is_answered_with_what_to_type(tmp_path: Path) -> None:
    sweep = written(tmp_path, "my sweep.yaml", WANDB.format(method="grid"))
    study = written(tmp_path, "study.yaml", OPTUNA_PLAIN)
    with pytest.raises(ConfigError) as refused:
        planned(sweep, study)
    assert refused.value.problems == (
        f"{sweep}: is a sweep file of W&B; type: rlsweep import '{sweep}' --write DIR",
        f"{study}: holds distributions of Optuna; type: rlsweep import {study} --write DIR",
    )
    with pytest.raises(ConfigError, match=r"agent config and a training config instead; type: rlsweep import .*yml"):
        planned(ZOO)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"agent_id": "a", "gamma": 0.9}, "is a file of rlsweep already; give it to plan"),
        ({"space": {}, "base": "a.yaml"}, "is a file of rlsweep already"),
        ({"colour": "blue"}, "is neither a sweep file of W&B, nor hyperparameters"),
        ({"method": "grid", "parameters": {"track": {"values": [1, 2]}}},
         "has no parameter that can be drawn here (track: rlsweep has no such key)"),
        ({"method": "grid", "parameters": {}}, "has no parameter that can be drawn here"),
    ],
)  # fmt: skip
def test_what_cannot_be_translated_is_refused(tmp_path: Path, data: dict[str, Any], problem: str) -> None:
    path = written(tmp_path, "given.yaml", data)
    with pytest.raises(ConfigError) as refused:
        import_file(path)
    assert refused.value.problems[0].startswith(f"{path}: {problem}")


def test_nothing_is_written_over(tmp_path: Path) -> None:
    path = written(tmp_path, "sweep.yaml", WANDB.format(method="grid"))
    import_file(path, folder=tmp_path)
    (tmp_path / "sweep_space.yaml").unlink()
    with pytest.raises(InputError, match=r"sweep_v1.yaml exists already, and is left as it is; nothing was written"):
        import_file(path, folder=tmp_path)
    assert not (tmp_path / "sweep_space.yaml").exists()


NUMBERS = st.one_of(st.integers(-3, 10**6), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.text())
PARAMETER = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "min": NUMBERS, "max": NUMBERS, "q": NUMBERS, "value": NUMBERS, "values": st.lists(NUMBERS, max_size=3),
            "distribution": st.sampled_from(["uniform", "q_uniform", "int_uniform", "log_uniform", "normal",
                                             "log_uniform_values", "q_log_uniform_values", "constant", "categorical"]),
            "low": NUMBERS, "high": NUMBERS, "log": st.booleans(), "step": NUMBERS, "choices": st.lists(NUMBERS),
        },
    ),
    NUMBERS,
)  # fmt: skip
NAMES = st.sampled_from(["lr", "gamma", "n_steps", "net_arch", "ent_coef", "seed", "n_envs", "policy", "env", "x"])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.dictionaries(NAMES, PARAMETER, min_size=1), st.sampled_from(["grid", "random", "bayes", None, 3]), NUMBERS)
def test_whatever_is_translated_can_be_drawn(parameters: dict[str, Any], method: Any, cap: Any) -> None:
    wandb = {"method": method, "parameters": parameters, "run_cap": cap}
    for data in (wandb, parameters):
        try:
            found = import_data(data, "any")
        except ConfigError:
            continue
        space = yaml.safe_load(found.files["any_space.yaml"])
        base = yaml.safe_load(found.files["any_v1.yaml"])
        read_space(GivenConfig("space", space | {"base": base}), more={})
