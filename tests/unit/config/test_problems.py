import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlsweep.config.agent import AgentConfig, SplitLayers
from rlsweep.config.loading import load_agent, load_training
from rlsweep.config.overrides import parse_overrides
from rlsweep.errors import ConfigError

JARGON = ("Input", "input", "pydantic", "type=", "Extra", "Field", "constrained", "validation", "<")


def agent_problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_agent(path, {}, ())
    assert not [word for word in JARGON if any(word in said.replace(str(path), "") for said in caught.value.problems)]
    assert all(said.startswith(f"{path}: ") for said in caught.value.problems)
    return [said.removeprefix(f"{path}: ") for said in caught.value.problems]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("learning_rate", -1, "learning_rate: must be greater than 0, got -1"),
        ("learning_rate", "abc", "learning_rate: must be a number or a schedule such as linear_3.0e-4, got 'abc'"),
        (
            "learning_rate",
            "0.001",
            "learning_rate: must be a number or a schedule such as linear_3.0e-4, got '0.001'; "
            "remove the quotes around the number",
        ),
        ("learning_rate", "linear_x", "learning_rate: 'x' is not a number; write a schedule as linear_3.0e-4"),
        (
            "learning_rate",
            "linear_-1",
            "learning_rate: the initial value of a linear schedule must be positive and finite, got 'linear_-1'",
        ),
        (
            "learning_rate",
            "linear_inf",
            "learning_rate: the initial value of a linear schedule must be positive and finite, got 'linear_inf'",
        ),
        ("learning_rate", True, "learning_rate: must be a number, got true"),
        ("learning_rate", None, "learning_rate: must be a number, got nothing"),
        ("learning_rate", [1], "learning_rate: must be a number, got [1]"),
        ("gamma", 1.5, "gamma: must be at most 1, got 1.5"),
        ("gamma", "0.9", "gamma: must be a number, got '0.9'; remove the quotes around the number"),
        ("n_steps", 0, "n_steps: must be at least 1, got 0"),
        ("n_steps", 2048.0, "n_steps: must be a whole number, got 2048.0; write 2048"),
        ("n_steps", 2.5, "n_steps: must be a whole number, got 2.5"),
        ("n_steps", False, "n_steps: must be a whole number, got false"),
        ("name", "", "name: must be one line of 1 to 200 printable characters"),
        ("name", "a\nb", "name: must be one line of 1 to 200 printable characters"),
        ("name", 3, "name: must be text, got 3; put it in quotes"),
        ("sweep_variant", False, "sweep_variant: must be text, got false; put it in quotes"),
        (
            "agent_id",
            "../a",
            "agent_id: must be at most 100 letters, digits, '_', '-' and '.', starting with a letter or digit; "
            "got '../a'",
        ),
        ("version", -1, "version: must be at least 0, got -1"),
        ("version", ..., "version: is missing"),
        ("algorithm", "MaskedPPO", "algorithm: unknown algorithm 'MaskedPPO', known are MaskablePPO, PPO, A2C; "
         "did you mean MaskablePPO?"),
        ("algorithm", "DQN", "algorithm: unknown algorithm 'DQN', known are MaskablePPO, PPO, A2C; "
         "off-policy algorithms such as DQN are not supported, use PPO instead"),
        ("algorithm", "SAC", "algorithm: unknown algorithm 'SAC', known are MaskablePPO, PPO, A2C; "
         "off-policy algorithms such as SAC are not supported, use PPO instead"),
        ("algorithm", "QR-DQN", "algorithm: unknown algorithm 'QR-DQN', known are MaskablePPO, PPO, A2C; "
         "off-policy algorithms such as QR-DQN are not supported, use PPO instead"),
        ("algorithm", "TRPO", "algorithm: unknown algorithm 'TRPO', known are MaskablePPO, PPO, A2C; "
         "TRPO is not supported, use PPO instead"),
        ("algorithm", "ppo_mask", "algorithm: unknown algorithm 'ppo_mask', known are MaskablePPO, PPO, A2C; "
         "did you mean MaskablePPO?"),
        ("network", 3, "network: must be a mapping of keys to values, got 3"),
        ("ppo", None, "ppo: must be a mapping of keys to values, got nothing"),
        ("network", {"net_arch": "abc"}, "network.net_arch: must be a list, got 'abc'"),
        ("network", {"net_arch": 64}, "network.net_arch: must be a list, got 64"),
        ("network", {"net_arch": [64, "x"]}, "network.net_arch[1]: must be a whole number, got 'x'"),
        ("network", {"net_arch": [64, 0]}, "network.net_arch[1]: must be at least 1, got 0"),
        ("network", {"net_arch": [1] * 17}, "network.net_arch: must hold at most 16 values, got 17"),
        ("network", {"net_arch": {"pi": [64]}}, "network.net_arch.vf: is missing"),
        ("network", {"net_arch": {"pi": [64], "vf": [64], "qf": []}},
         "network.net_arch.qf: unknown key; known here are pi, vf"),
        ("network", {"activation_fn": "gelu"},
         "network.activation_fn: must be one of tanh, relu, elu, got 'gelu'; did you mean elu?"),
        ("network", {"activation_fn": "swish"}, "network.activation_fn: must be one of tanh, relu, elu, got 'swish'"),
        ("network", {"policy": "CNNPolicy"},
         "network.policy: must be one of MlpPolicy, CnnPolicy, got 'CNNPolicy'; did you mean CnnPolicy?"),
        ("network", {"features_extractor": "my_nets.Mine"},
         "network.features_extractor: must name a class as module:Class, got 'my_nets.Mine'; did you mean "
         "my_nets:Mine?"),
        ("network", {"features_extractor": "no_such_nets:Mine"}, "network.features_extractor: module 'no_such_nets' "
         "of 'no_such_nets:Mine' not found; install it, or put its folder on PYTHONPATH"),
        ("optimizer", {"eps": 0}, "optimizer.eps: must be greater than 0, got 0"),
        ("ppo", {"sde_sample_freq": -2}, "ppo.sde_sample_freq: must be at least -1, got -2"),
        ("ppo", {"clip_range": 0}, "ppo.clip_range: must be greater than 0, got 0"),
        ("ppo", {"clip_range_vf": "x"},
         "ppo.clip_range_vf: must be a number or a schedule such as linear_3.0e-4, got 'x'"),
        ("ppo", {"ent_coef": -0.1}, "ppo.ent_coef: must be at least 0, got -0.1"),
        ("ppo", {"normalize_advantage": 1}, "ppo.normalize_advantage: must be true or false, got 1"),
        ("learning_rte", 1, "learning_rte: unknown key; did you mean learning_rate?"),
        ("Learning-Rate", 1, "Learning-Rate: unknown key; did you mean learning_rate?"),
        ("gae_lambda", 0.9, "gae_lambda: unknown key; did you mean ppo.gae_lambda?"),
        ("gae_lamda", 0.9, "gae_lamda: unknown key; did you mean ppo.gae_lambda?"),
        ("net_arch", [64], "net_arch: unknown key; did you mean network.net_arch?"),
        ("policy", "MlpPolicy", "policy: unknown key; did you mean network.policy?"),
        ("policy_kwargs", {}, "policy_kwargs: unknown key; write its entries in the sections network "
         "and optimizer instead"),
        ("n_envs", 8, "n_envs: unknown key; write n_envs in the training config (--base-config) instead"),
        ("opponent", "mcts", "opponent: unknown key; write environment.opponent in the training config "
         "(--base-config) instead"),
        ("n_timesteps", 8, "n_timesteps: unknown key; write total_timesteps in the training config "
         "(--base-config), or --total-timesteps, instead"),
        ("lr", 1, "lr: unknown key; write learning_rate instead"),
        ("ppo", {"clip_coef": 0.1}, "ppo.clip_coef: unknown key; write ppo.clip_range instead"),
        ("entropy_coef", 0, "entropy_coef: unknown key; write ppo.ent_coef instead"),
        ("env", "x", "env: unknown key; write environment in the training config (--base-config) instead"),
        ("num_workers", 2, "num_workers: unknown key; write n_envs with vec_env: subproc in the training config "
         "instead"),
        ("train_batch_size", 2, "train_batch_size: unknown key; write n_steps instead: a rollout has n_steps × n_envs "
         "env steps"),
        ("buffer_size", 2, "buffer_size: unknown key; leave it out: it belongs to off-policy algorithms, which are "
         "not supported"),
        ("network", {"net_arch": {"actor": [], "pi": [], "vf": []}},
         "network.net_arch.actor: unknown key; write network.net_arch.pi instead"),
        ("network", {"policy": "MLP"},
         "network.policy: must be one of MlpPolicy, CnnPolicy, got 'MLP'; did you mean MlpPolicy?"),
        ("ppo", {"gama": 0.9}, "ppo.gama: unknown key; did you mean gamma?"),
        ("ppo", {"learning_rate": 0.1}, "ppo.learning_rate: unknown key; did you mean learning_rate?"),
        ("ppo", {"zzzz": 0.1}, "ppo.zzzz: unknown key; known here are clip_range, clip_range_vf, ent_coef, vf_coef, "
         "max_grad_norm, gae_lambda, normalize_advantage, target_kl, use_sde, sde_sample_freq"),
    ],
)  # fmt: skip
def test_one_message_a_problem(write_agent: Callable[..., Path], key: str, value: Any, said: str) -> None:
    assert agent_problems(write_agent("x.yaml", **{key: value})) == [said]


def test_all_problems_of_a_file(write_agent: Callable[..., Path]) -> None:
    path = write_agent("x.yaml", gamma=2, name=..., n_stepz=1, network={"net_arch": ["a", "b"]})
    assert [said.partition(":")[0] for said in agent_problems(path)] == [
        "gamma",
        "network.net_arch[0]",
        "network.net_arch[1]",
        "name",
        "n_stepz",
    ]


def test_long_values_are_cut(write_agent: Callable[..., Path]) -> None:
    (said,) = agent_problems(write_agent("x.yaml", network={"activation_fn": "x" * 1000}))
    assert len(said) < 200


def test_many_problems_of_a_file_are_counted(write_agent: Callable[..., Path]) -> None:
    said = agent_problems(write_agent("x.yaml", **{f"key_{index:02}": 1 for index in range(30)}))
    assert [each.partition(":")[0] for each in said] == [
        *(f"key_{index:02}" for index in range(20)),
        "further problems",
    ]
    assert said[-1] == "further problems: 10"


def test_what_sb3_users_expect(write_agent: Callable[..., Path]) -> None:
    path = write_agent(
        learning_rate="linear_3.0e-4",
        gamma=1,
        network={"net_arch": {"pi": [64], "vf": []}},
        ppo={"clip_range": "linear_0.2", "clip_range_vf": 0.2, "target_kl": 0.03, "gae_lambda": 0.9},
        exploration={"type": "none"},
    )
    config = load_agent(path, {}, ()).config
    assert config.learning_rate == "linear_0.0003"
    assert (config.gamma, type(config.gamma)) == (1.0, float)
    assert config.network.net_arch == SplitLayers(pi=(64,), vf=())
    assert config.ppo.clip_range_vf == 0.2
    assert config.exploration == {"type": "none"}


def test_documented_defaults(write_agent: Callable[..., Path]) -> None:
    config = load_agent(write_agent(), {}, ()).config
    assert (config.learning_rate, config.gamma, config.n_steps, config.batch_size, config.n_epochs) == (
        3e-4,
        0.99,
        2048,
        64,
        10,
    )
    assert (config.network.policy, config.network.net_arch, config.network.activation_fn) == (
        "MlpPolicy",
        (256, 256),
        "tanh",
    )
    ppo = config.ppo
    assert (ppo.clip_range, ppo.ent_coef, ppo.vf_coef, ppo.max_grad_norm) == (0.2, 0.01, 0.5, 0.5)
    assert (ppo.gae_lambda, ppo.clip_range_vf, ppo.normalize_advantage, ppo.target_kl) == (0.95, None, True, None)


def test_short_names() -> None:
    who = {"agent_id": "ppo_agent", "name": "x", "algorithm": "PPO", "version": 1}
    assert AgentConfig(**who).short_name == "ppo_agent_v1"
    assert AgentConfig(**who, sweep_variant="lr_high").short_name == "ppo_agent_lr_high"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"n_envs": 0}, "n_envs: must be at least 1, got 0"),
        ({"n_envs": 10**12}, "n_envs: must be at most 10000, got 1000000000000"),
        ({"vec_env": "threads"}, "vec_env: must be one of dummy, subproc, got 'threads'"),
        ({"device": "gpu"}, "device: must be auto, cpu, cuda, cuda:<number> or mps, got 'gpu'; did you mean "
         "cuda?"),
        ({"device": "gpu:1"}, "device: must be auto, cpu, cuda, cuda:<number> or mps, got 'gpu:1'; did you mean "
         "cuda:1?"),
        ({"vec_env": "SubprocVecEnv"}, "vec_env: must be one of dummy, subproc, got 'SubprocVecEnv'; did you mean "
         "subproc?"),
        ({"lr": 1}, "lr: unknown key; write it in the agent config, or as hyperparameters.learning_rate here"),
        ({"timesteps": 1}, "timesteps: unknown key; write total_timesteps, or --total-timesteps, instead"),
        ({"learning_rate": 1}, "learning_rate: unknown key; write it in the agent config, or as "
         "hyperparameters.learning_rate here"),
        ({"gae_lambda": 1}, "gae_lambda: unknown key; write it in the agent config, or as "
         "hyperparameters.ppo.gae_lambda here"),
        ({"opponent": "mcts"}, "opponent: unknown key; did you mean environment.opponent?"),
        ({"env_id": "x"}, "env_id: unknown key; write environment instead"),
        ({"hyperparameters": {"ppo": {"ent_coef": "x"}}},
         "hyperparameters.ppo.ent_coef: must be a number, got 'x'"),
        ({"hyperparameters": {"agent_id": "x"}}, "hyperparameters.agent_id: unknown key; known here are "
         "learning_rate, gamma, n_steps, batch_size, n_epochs, optimizer, network, ppo"),
        ({"hyperparameters": [1]}, "hyperparameters: must be a mapping of keys to values, got [1]"),
        ({"environment": 3}, "environment: must be a mapping of keys to values, got 3"),
        ({"environment": {"observation_keys": []}}, "environment.observation_keys: must hold at least 1 values, got 0"),
        ({"environment": "open_spiel/"}, "environment.id: unknown environment 'open_spiel/'; write open_spiel/<game>, "
         "pettingzoo/<module>, <module>:<Class>, a Gymnasium id"),
        ({"environment": "no_such_module:Env"}, "environment.id: module 'no_such_module' of 'no_such_module:Env' "
         "not found; install it, or put its folder on PYTHONPATH"),
        ({"environment": {"opponent": "mtcs"}}, "environment.opponent: must be random, mcts, mcts:<simulations>, self "
         "or a checkpoint ending in .zip, got 'mtcs'; did you mean mcts?"),
        ({"environment": {"opponent": "no.zip"}}, "environment.opponent: checkpoint not found: no.zip"),
        ({"environment": {"opponent": "x" * 300 + ".zip"}},
         f"environment.opponent: checkpoint not found: {'x' * 300}.zip"),
    ],
)  # fmt: skip
def test_training_config_problems(write_base: Callable[..., Path], keys: dict[str, Any], said: str) -> None:
    path = write_base(**keys)
    with pytest.raises(ConfigError) as caught:
        load_training(path, ())
    assert caught.value.problems == (f"{path}: {said}",)


def test_an_environment_set_on_the_command_line_is_blamed_there(write_base: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match=r"^--set environment.opponent: must be random"):
        load_training(write_base(environment="CartPole-v1"), parse_overrides(["opponent=nobody"]))


def test_a_checkpoint_as_opponent_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "best.zip").touch()
    monkeypatch.chdir(tmp_path)
    training = load_training(None, parse_overrides(["opponent=best.zip"]))
    assert training.environment.opponent == str(tmp_path / "best.zip")


VALID = {
    "agent_id": "a",
    "name": "A",
    "algorithm": "PPO",
    "version": 1,
    "learning_rate": 0.1,
    "network": {"net_arch": [64], "activation_fn": "relu"},
    "ppo": {"clip_range": "linear_0.1"},
}
keys = st.sampled_from([*AgentConfig.model_fields, "net_arch", "pi", "ent_coef", "x", "", "a.b", "<layers>"])
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 2**63 - 1)
    | st.floats(-1, 1)
    | st.sampled_from(["", "linear_", "tanh"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(keys, values, min_size=1, max_size=3))
def test_any_values_give_a_config_or_plain_messages(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "any.json"
    path.write_text(json.dumps(VALID | changes))
    try:
        config = load_agent(path, {}, ()).config
    except ConfigError as exc:
        said = "\n".join(exc.problems).replace(str(path), "")
    else:
        said = ""
        assert AgentConfig.model_validate_json(config.model_dump_json()) == config
    assert not re.search("Input|pydantic|type=|Extra|validation", said)
