"""Files of rl-zoo are recognised, and the answer is the same configs as they are written here, ready to paste."""

from pathlib import Path
from typing import Any

import pytest
from pasting import answer, as_base, pasted, written

from rlsweep.config.agent import AgentConfig, SplitLayers
from rlsweep.config.differences import flat_hyperparameters
from rlsweep.config.foreign.literals import literal
from rlsweep.config.loading import load_agent, load_training
from rlsweep.config.reading import read_config_file
from rlsweep.config.training import TrainingConfig, WrapperSpec

ZOO = """
Walker-v0: &mujoco-defaults
  normalize: true
  n_envs: 16
  n_timesteps: !!float 2e6
  policy: 'MlpPolicy'
  n_steps: 512
  learning_rate: !!float 3e-5
  use_sde: True
  sde_sample_freq: 4
  clip_range: lin_0.4
  policy_kwargs: "dict(log_std_init=-2.7,
                       ortho_init=False,
                       activation_fn=nn.ReLU,
                       optimizer_kwargs=dict(eps=1e-7, weight_decay=0.01),
                       net_arch=[dict(pi=[256, 64], vf=[32])]
                       )"
"""
RACING = """
Racing-v0:
  env_wrapper:
    - some.wrappers.FrameSkip:
        skip: 2
    - gym.wrappers.gray_scale_observation.GrayScaleObservation
  frame_stack: 2
  vec_env_wrapper: stable_baselines3.common.vec_env.VecTransposeImage
  normalize: "{'norm_obs': False, 'norm_reward': True}"
  env_kwargs: "dict(laps=3)"
  n_timesteps: 1000
  policy: 'CnnPolicy'
  policy_kwargs: "dict(activation_fn=nn.GELU)"
"""


def test_a_file_of_rl_zoo_becomes_an_agent_config_and_a_training_config(tmp_path: Path) -> None:
    error = answer(written(tmp_path, "ppo.yml", ZOO))
    (said,) = error.problems
    assert "holds hyperparameters of rl-zoo; write an agent config and a training config instead; type: " in said
    assert said.endswith("ppo.yml --write DIR")
    files = pasted(error, tmp_path)
    assert list(files) == ["ppo_walker_v1.yaml", "walker.yaml"]
    assert error.pasted[-1] == (
        "# Then type: rlsweep train --agent-config ppo_walker_v1.yaml --base-config walker.yaml"
    )
    agent = load_agent(files["ppo_walker_v1.yaml"], {}, ()).config
    assert (agent.algorithm, agent.learning_rate, agent.n_steps) == ("PPO", 3e-5, 512)
    ppo, network = agent.ppo, agent.network
    assert (ppo.clip_range, ppo.use_sde, ppo.sde_sample_freq) == ("linear_0.4", True, 4)
    assert ppo.ent_coef == 0.0, "SB3's default, where ours is another"
    assert network.net_arch == SplitLayers(pi=(256, 64), vf=(32,))
    assert (network.log_std_init, network.ortho_init, network.activation_fn) == (-2.7, False, "relu")
    assert (agent.optimizer.eps, agent.optimizer.weight_decay) == (1e-7, 0.01)
    training = load_training(files["walker.yaml"], ())
    assert training == TrainingConfig(
        name="walker",
        environment=training.environment,
        n_envs=16,
        total_timesteps=2_000_000,
        normalize_observations=True,
        normalize_rewards=True,
    )
    assert training.environment.id == "Walker-v0"


DATA = Path(__file__).parents[2] / "data" / "rl_zoo"


@pytest.mark.parametrize(
    ("file", "hyperparameters", "settings"),
    [
        ("ppo_cartpole.yml",
         {"learning_rate": "linear_0.001", "gamma": 0.98, "n_steps": 32, "batch_size": 256, "n_epochs": 20,
          "ppo.clip_range": "linear_0.2", "ppo.gae_lambda": 0.8, "ppo.ent_coef": 0.0, "network.net_arch": [64, 64]},
         {"n_envs": 8, "total_timesteps": 100_000}),
        ("ppo_pendulum.yml",
         {"learning_rate": 1e-3, "gamma": 0.9, "n_steps": 1024, "batch_size": 64, "n_epochs": 10,
          "ppo.clip_range": 0.2, "ppo.gae_lambda": 0.95, "ppo.ent_coef": 0.0, "ppo.use_sde": True,
          "ppo.sde_sample_freq": 4, "network.net_arch": [64, 64]},
         {"n_envs": 4, "total_timesteps": 100_000}),
        ("ppo_acrobot.yml",
         {"gamma": 0.99, "n_steps": 256, "n_epochs": 4, "ppo.gae_lambda": 0.94, "ppo.ent_coef": 0.0,
          "network.net_arch": [64, 64]},
         {"n_envs": 16, "total_timesteps": 1_000_000, "normalize_observations": True, "normalize_rewards": True}),
    ],
)  # fmt: skip
def test_tuned_files_of_rl_zoo_translate_whole(
    tmp_path: Path, file: str, hyperparameters: dict[str, Any], settings: dict[str, Any]
) -> None:
    error = answer(DATA / file)
    assert "left out" not in str(error)
    agent, base = pasted(error, tmp_path).values()
    who = {"agent_id": "a", "name": "A", "algorithm": "PPO", "version": 1}
    expected = flat_hyperparameters(AgentConfig.model_validate(who)) | hyperparameters
    assert flat_hyperparameters(load_agent(agent, {}, ()).config) == expected
    training = load_training(base, ())
    found = training.model_dump(exclude_unset=True, exclude={"name", "environment", "evaluation"})
    assert (found, training.environment.id.partition("-")[0].lower()) == (settings, file[4:-4])


def test_what_rl_zoo_leaves_to_sb3_and_what_is_left_out(tmp_path: Path) -> None:
    error = answer(written(tmp_path, "tuned.yml", RACING), as_base)
    files = pasted(error, tmp_path)
    agent = files["ppo_racing_v1.yaml"].read_text()
    assert "# left out: vec_env_wrapper (wrappers of vector environments are not supported)" in agent
    assert "# left out: network.activation_fn (activations are tanh, relu, elu, not 'nn.GELU')" in agent
    assert load_agent(files["ppo_racing_v1.yaml"], {}, ()).config.network.net_arch == (), "as SB3's for images"
    training = TrainingConfig.model_validate(read_config_file(files["racing.yaml"]), strict=False)
    assert training.environment.wrappers == (
        WrapperSpec(id="some.wrappers:FrameSkip", kwargs={"skip": 2}),
        WrapperSpec(id="gymnasium.wrappers:GrayscaleObservation"),
    )
    assert (training.environment.frame_stack, training.environment.kwargs) == (2, {"laps": 3})
    assert (training.normalize_observations, training.normalize_rewards) == (False, True)


def test_plain_layers_of_rl_zoo_are_sb3s(tmp_path: Path) -> None:
    error = answer(written(tmp_path, "a2c.yml", "CartPole-v1: {n_timesteps: 5e5, policy: MlpPolicy}\n"))
    agent = load_agent(pasted(error, tmp_path)["a2c_cartpole_v1.yaml"], {}, ()).config
    assert (agent.algorithm, agent.network.net_arch) == ("A2C", (64, 64))
    assert (agent.learning_rate, agent.n_steps, agent.ppo.gae_lambda, agent.ppo.normalize_advantage) == (
        7e-4, 5, 1.0, False,
    )  # fmt: skip


def test_several_environments_in_one_file(tmp_path: Path) -> None:
    others = "".join(f"Other{index}-v0: {{<<: *mujoco-defaults}}\n" for index in range(5))
    error = answer(written(tmp_path, "ppo.yml", f"x-note: {{}}\n{ZOO}{others}"))
    assert list(pasted(error, tmp_path)) == [
        "ppo_walker_v1.yaml", "walker.yaml", "ppo_other0_v1.yaml", "other0.yaml", "ppo_other1_v1.yaml", "other1.yaml",
    ]  # fmt: skip
    assert error.pasted[-1].startswith("# Further environments: Other2-v0, Other3-v0, Other4-v0\n")


def test_agent_configs_below_keys_are_none_of_rl_zoo(tmp_path: Path) -> None:
    text = "one: {agent_id: a, learning_rate: 0.1, n_steps: 8}\n"
    assert "one: unknown key" in str(answer(written(tmp_path, "ppo.yml", text)))


def test_versions_of_one_environment_get_files_of_their_own(tmp_path: Path) -> None:
    entry = "{n_timesteps: 1, policy: MlpPolicy}"
    error = answer(written(tmp_path, "ppo.yml", f"Walker2d-v3: {entry}\nWalker2d-v4: {entry}\n"))
    assert list(pasted(error, tmp_path)) == [
        "ppo_walker2d_v3_v1.yaml", "walker2d_v3.yaml", "ppo_walker2d_v4_v1.yaml", "walker2d_v4.yaml",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("sac.yml", "A-v1: {n_timesteps: 1, policy: MlpPolicy}", "for SAC, which is not supported; take those of ppo"),
        ("ppo_lstm.yml", "A-v1: {n_timesteps: 1, policy: MlpLstmPolicy}", "for PPO_LSTM, which is not supported"),
        ("x.yml", "A-v1: {n_timesteps: 1, policy: MlpPolicy, buffer_size: 1}", "for an off-policy algorithm, which is"),
    ],
)
def test_files_of_algorithms_that_are_not_supported(tmp_path: Path, name: str, text: str, said: str) -> None:
    error = answer(written(tmp_path, name, text))
    assert said in error.problems[0]
    assert error.pasted == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("dict(a=-1, b=[True, None, 'x'], c=dict(d=nn.ReLU), e={'f': (1.5,)})",
         {"a": -1, "b": [True, None, "x"], "c": {"d": "nn.ReLU"}, "e": {"f": [1.5]}}),
        ("dict(net_arch=[dict(pi=[256,\n 256])]\n)", {"net_arch": [{"pi": [256, 256]}]}),
    ],
)  # fmt: skip
def test_texts_of_python_are_read(text: str, value: Any) -> None:
    assert literal(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "dict(a=open('x'))", "dict(**x)", "dict([1])", "[x for x in y]", "lambda: 1",
        "dict(a=f'{x}')", "1 +", "x" * 5000, "[" * 300, "-" * 3000 + "1", "dict(a=" * 60 + "1" + ")" * 60, "a[0]",
        "{1: 2}", "\0",
    ],
)  # fmt: skip
def test_texts_that_are_no_literals_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the reasons differ
        literal(text)
