"""Files of other tools are recognised, and the answer is the same config as it is written here, ready to paste."""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pasting import answer, as_base, pasted, pasted_agents, written

from rlsweep.config import habits
from rlsweep.config.agent import AgentConfig
from rlsweep.config.foreign.translation import _SPECIAL
from rlsweep.config.loading import load_agent, load_training
from rlsweep.config.training import TrainingConfig
from rlsweep.errors import ConfigError


def test_a_range_where_one_value_belongs_becomes_its_ends_and_its_middle(tmp_path: Path) -> None:
    text = f"{IDENTITY}learning_rate: {{min: 1e-5, max: 1e-3}}\nn_epochs: {{min: 2, max: 10}}\n"
    agents = pasted_agents(answer(written(tmp_path, "tiny.yaml", text)), tmp_path)
    found = [(each.config.learning_rate, each.config.n_epochs) for each in agents.values()]
    assert found == [(rate, epochs) for rate in (1e-5, 1e-4, 1e-3) for epochs in (2, 6, 10)]
    exponents = text.replace("{min: 1e-5, max: 1e-3}", "{distribution: log_uniform, min: -11.5, max: -6.9}")
    tried = pasted_agents(answer(written(tmp_path, "tiny.yaml", exponents)), tmp_path).values()
    assert {each.config.learning_rate for each in tried} == {1.01e-5, 1.01e-4, 1.01e-3}


def test_the_config_that_wandb_saves_of_a_run_becomes_ours(tmp_path: Path) -> None:
    text = "wandb_version: 1\n_wandb: {value: {cli: 1}}\nlr: {desc: null, value: 0.01}\nnum_envs: {value: 4}\n"
    error = answer(written(tmp_path, "config.yaml", text))
    assert error.problems[0].endswith("is a run's config of W&B; write ours instead")
    files = pasted(error, tmp_path)
    assert load_agent(files["agent_v1.yaml"], {}, ()).config.learning_rate == 0.01
    assert load_training(files["training.yaml"], ()).n_envs == 4


IDENTITY = "agent_id: tiny\nname: Tiny\nalgorithm: PPO\nversion: 1\n"


def test_a_list_where_one_value_belongs_becomes_a_file_for_each(tmp_path: Path) -> None:
    error = answer(
        written(tmp_path, "a.yaml", f"{IDENTITY}learning_rate: [1e-4, 3e-4]\nppo: {{ent_coef: [0.0, 0.01]}}\n")
    )
    assert [said.partition(": ")[2] for said in error.problems] == [
        "learning_rate: must be a number, got [0.0001, 0.0003]; a config has one value: write a file for each",
        "ppo.ent_coef: must be a number, got [0.0, 0.01]; a config has one value: write a file for each",
    ]
    found = [(each.config.learning_rate, each.config.ppo.ent_coef) for each in pasted_agents(error, tmp_path).values()]
    assert found == [(1e-4, 0.0), (1e-4, 0.01), (3e-4, 0.0), (3e-4, 0.01)]
    assert "tiny_sweep_learning_rate_0.0003_ent_coef_0.01.yaml" in pasted(error, tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("network: {net_arch: [{pi: [64], vf: [32]}], activation_fn: nn.ReLU}",
         {"net_arch": {"pi": [64], "vf": [32]}, "activation_fn": "relu"}),
        ('network: {net_arch: "[dict(pi=[64], vf=[32])]"}', {"net_arch": {"pi": [64], "vf": [32]}}),
        ("network: {net_arch: [128, {pi: [64], vf: [32]}]}", {"net_arch": {"pi": [128, 64], "vf": [128, 32]}}),
        ('policy: MlpPolicy\npolicy_kwargs: "dict(log_std_init=-2, ortho_init=False, activation_fn=nn.ELU)"',
         {"policy": "MlpPolicy", "log_std_init": -2.0, "ortho_init": False, "activation_fn": "elu"}),
        ("policy_kwargs: {net_arch: [8], features_extractor_class: json.Mine}",
         {"net_arch": [8], "features_extractor": "json:Mine"}),
        ("policy: MultiInputPolicy\nn_envs: 4", {"policy": "MlpPolicy"}),
    ],
)  # fmt: skip
def test_an_agent_config_with_keys_of_sb3_is_translated(tmp_path: Path, text: str, expected: dict[str, Any]) -> None:
    error = answer(written(tmp_path, "a.yaml", IDENTITY + text))
    agent = load_agent(pasted(error, tmp_path)["tiny_v1.yaml"], {}, ()).config
    assert agent.network.model_dump(mode="json", exclude_unset=True) == expected
    assert ("training.yaml" in pasted(error, tmp_path)) == ("n_envs" in text)


def test_hyperparameters_of_rllib_are_translated(tmp_path: Path) -> None:
    text = '{"env": "CartPole-v1", "lr": 1e-4, "lambda": 0.9, "num_workers": 2, "model": {"fcnet_hiddens": [8]}}'
    error = answer(written(tmp_path, "mine.json", text))
    files = pasted(error, tmp_path)
    agent = load_agent(files["mine_v1.yaml"], {}, ()).config
    assert (agent.learning_rate, agent.ppo.gae_lambda, agent.network.net_arch) == (1e-4, 0.9, (8,))
    assert load_training(files["training.yaml"], ()).environment.id == "CartPole-v1"
    assert error.pasted[-1] == (
        "# left out: num_workers (write n_envs with vec_env: subproc in the training config instead)"
    )


def test_a_training_config_with_keys_of_rl_zoo_is_translated(tmp_path: Path) -> None:
    text = "name: mine\nenv_id: CartPole-v1\nn_timesteps: 1e5\nnormalize: true\nlr: lin_0.1\n"
    error = answer(written(tmp_path, "base.yaml", text), as_base)
    training = load_training(pasted(error, tmp_path)["base.yaml"], ())
    assert (training.environment.id, training.total_timesteps, training.normalize_rewards) == (
        "CartPole-v1",
        10**5,
        True,
    )
    assert (training.name, training.hyperparameters) == ("mine", {"learning_rate": "linear_0.1"})


@pytest.mark.parametrize("text", ["gamma: 2", "learning_rate: [1]", "gama: 0.9", "policy_kwargs: dict(net_arch=[x])"])
def test_what_no_translation_mends_has_no_block(tmp_path: Path, text: str) -> None:
    assert answer(written(tmp_path, "a.yaml", IDENTITY + text + "\ngamma_: 1")).pasted == ()


def test_keys_that_hold_anchors_are_allowed(tmp_path: Path) -> None:
    text = "x-small: &small {net_arch: [8]}\n" + IDENTITY + "network: *small\n"
    assert load_agent(written(tmp_path, "a.yaml", text), {}, ()).config.network.net_arch == (8,)
    base = written(tmp_path, "base.yaml", "x-: &count 3\nn_envs: *count\n")
    assert load_training(base, ()).n_envs == 3


def test_a_hostile_file_is_answered_in_bounds(tmp_path: Path) -> None:
    entries = "".join(f"E{index}-v0: {{n_timesteps: 1, policy: MlpPolicy, {'k' * 90}: 1}}\n" for index in range(1500))
    lists = "".join(f"  {key}: {[1] * 300}\n" for key in ("ent_coef", "vf_coef", "max_grad_norm", "gae_lambda"))
    choices = "".join(f"  {key}: {{values: {list(range(400))}}}\n" for key in ("lr", "gamma", "clip_coef"))
    files = {
        "ppo.yml": entries,
        "a.yaml": f"{IDENTITY}ppo:\n{lists}",
        "sweep.yaml": f"method: grid\nparameters:\n{choices}",
        "deep.yaml": IDENTITY + "policy_kwargs: " + "{net_arch: " * 30 + "1" + "}" * 30,
    }
    for name, text in files.items():
        started = time.perf_counter()
        error = answer_of(written(tmp_path, name, text))
        assert time.perf_counter() - started < 5, name
        assert len(error.splitlines()) < 250, name
        assert len(error) < 60_000, name


keys = st.sampled_from(
    [*_SPECIAL, *habits.KEYS, *AgentConfig.model_fields, *TrainingConfig.model_fields, "n_timesteps", "net_arch",
     "values", "parameters", "min", "max", "value", "x-a", "y", "policy", "activation_fn"]
)  # fmt: skip
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 2**62)
    | st.floats(-1, 1)
    | st.sampled_from(
        ["", "lin_0.1", "dict(net_arch=[dict(pi=[1])])", "{'norm_obs': 1}", "nn.ReLU", "MlpPolicy", "a.B"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=10,
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(entry=st.dictionaries(keys, values, max_size=5))
def test_any_foreign_values_are_answered_without_an_error_of_python(tmp_path: Path, entry: dict[str, Any]) -> None:
    files = {
        "ppo.json": {"Some-v0": {"n_timesteps": 1, "policy": "MlpPolicy", **entry}},
        "sweep.json": {"method": "grid", "parameters": entry},
        "agent.json": {"agent_id": "a", "lr": 0.1, **entry},
    }
    for name, data in files.items():
        path = written(tmp_path, name, json.dumps(data))
        for load in (lambda path: load_agent(path, {}, ()), as_base):
            with suppress(ConfigError):
                load(path)


def answer_of(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_agent(path, {}, ())
    return str(caught.value)
