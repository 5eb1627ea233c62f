"""What SB3's users pass as `policy_kwargs`, and gSDE: built, refused where it cannot be, kept by checkpoints."""

from pathlib import Path

import numpy as np
import pytest
import torch
from own_extractor import Powers
from stable_baselines3 import A2C, PPO

from rlsweep.config.training import EnvironmentSpec
from rlsweep.errors import ConfigError, EnvironmentSpecError
from rlsweep.training.algorithms import build_model, engine_of, load_algorithm
from rlsweep.training.policy import load_policy
from rlsweep.training.vector import make_vector

OPTIONS = {
    "network": {
        "net_arch": [8],
        "ortho_init": False,
        "log_std_init": -1.5,
        "features_extractor": "own_extractor:Powers",
        "features_extractor_kwargs": {"highest": 3},
    },
    "optimizer": {"eps": 1e-3, "weight_decay": 0.25},
    "ppo": {"use_sde": True, "sde_sample_freq": 4},
}


def built(make_config, *, algorithm, environment="Pendulum-v1", engine="auto", agent=None):
    config = make_config(environment=environment, algorithm=algorithm, total_timesteps=1, agent=agent, engine=engine)
    return build_model(load_algorithm(algorithm, engine), config, make_vector(config))


@pytest.mark.parametrize(("algorithm", "optimizer"), [("PPO", torch.optim.Adam), ("A2C", torch.optim.RMSprop)])
def test_every_option_reaches_the_policy(make_config, algorithm, optimizer):
    model = built(make_config, algorithm=algorithm, agent=OPTIONS)
    assert isinstance(model, PPO | A2C)
    assert (model.use_sde, model.sde_sample_freq) == (True, 4)
    assert model.policy.log_std.shape == (8, 1), "gSDE has a deviation for each feature and action"
    assert torch.all(model.policy.log_std == -1.5)
    assert isinstance(model.policy.features_extractor, Powers)
    assert model.policy.features_extractor.features_dim == 9
    assert not model.policy.ortho_init
    assert type(model.policy.optimizer) is optimizer
    (group,) = model.policy.optimizer.param_groups
    assert (group["eps"], group["weight_decay"]) == (1e-3, 0.25)


@pytest.mark.parametrize(("algorithm", "optimizer"), [("PPO", torch.optim.Adam), ("A2C", torch.optim.RMSprop)])
def test_without_options_the_policy_is_stocks(make_config, algorithm, optimizer):
    model = built(make_config, algorithm=algorithm)
    (group,) = model.policy.optimizer.param_groups
    assert type(model.policy.optimizer) is optimizer
    assert (group["eps"], group["weight_decay"], model.policy.ortho_init, model.use_sde) == (1e-5, 0, True, False)
    assert "optimizer_kwargs" not in model.policy_kwargs or algorithm == "A2C"


@pytest.mark.parametrize(
    ("agent", "engine"),
    [
        ({"optimizer": {"eps": 1e-3}}, "fast"),
        ({"network": {"net_arch": [8], "ortho_init": False}}, "fast"),
        ({"optimizer": {"weight_decay": 0.1}},
         "stock, since the fast engine does not support weight decay (optimizer.weight_decay)"),
        ({"network": {"net_arch": [8], "features_extractor": "own_extractor:Powers"}},
         "stock, since the fast engine does not support the features extractor Powers (network.features_extractor)"),
    ],
)  # fmt: skip
def test_the_fast_engine_trains_what_it_can_and_the_stock_one_the_rest(make_config, agent, engine):
    model = built(make_config, algorithm="MaskablePPO", environment="CartPole-v1", agent=agent)
    assert engine_of(model) == engine
    (group,) = model.policy.optimizer.param_groups
    assert group["eps"] == agent.get("optimizer", {}).get("eps", 1e-5)
    if engine != "fast":
        with pytest.raises(ConfigError, match=r"engine: fast cannot train .*\((optimizer|network)\.\w+\); use auto"):
            built(make_config, algorithm="MaskablePPO", environment="CartPole-v1", engine="fast", agent=agent)


@pytest.mark.parametrize(
    ("extractor", "error", "said"),
    [
        ("own_extractor:Power", EnvironmentSpecError, "'own_extractor' has no 'Power'; did you mean Powers?"),
        ("own_extractor:NoExtractor", ConfigError, "must be a subclass of stable_baselines3.common.torch_layers"),
    ],
)
def test_an_extractor_that_cannot_be_used_is_named(make_config, extractor, error, said):
    agent = {"network": {"features_extractor": extractor}}
    with pytest.raises(error) as caught:
        built(make_config, algorithm="PPO", agent=agent)
    assert f"network.features_extractor {extractor!r}: " in str(caught.value)
    assert said in str(caught.value)


def test_gsde_is_refused_for_discrete_actions(make_config):
    with pytest.raises(ConfigError, match=r"ppo.use_sde: gSDE explores continuous actions; 'CartPole-v1' has Discrete"):
        built(make_config, algorithm="PPO", environment="CartPole-v1", agent={"ppo": {"use_sde": True}})


def test_a_checkpoint_plays_and_resumes_with_its_options(make_config, run):
    agent = {**OPTIONS, "n_steps": 16, "batch_size": 16}
    keys = {"environment": "Pendulum-v1", "algorithm": "PPO", "agent": agent, "max_steps_per_episode": 20}
    whole, _ = run(make_config(total_timesteps=64, **keys), folder="whole")
    first, recorder = run(make_config(total_timesteps=32, **keys), folder="parts")
    last, _ = run(make_config(total_timesteps=64, **keys), folder="parts", resume_from=Path(first.checkpoint.uri))
    assert recorder.facts["resumes"] == "exactly"
    models = [load_policy(Path(result.checkpoint.uri)) for result in (whole, last)]
    one, other = (model.policy.state_dict() for model in models)
    assert all(torch.equal(one[name], other[name]) for name in one)
    stock = PPO.load(whole.checkpoint.uri, device="cpu")
    assert (stock.use_sde, type(stock.policy.features_extractor)) == (True, Powers)
    observation = np.array([[0.1, 0.2, 0.3]], np.float32)
    played = [model.predict(observation, deterministic=True)[0] for model in (models[0], stock)]
    np.testing.assert_array_equal(*played)


def test_a_checkpoint_with_its_own_extractor_is_refused_as_an_opponent(make_config, run):
    agent = {"network": {"net_arch": [8], "features_extractor": "own_extractor:Powers"}}
    trained, _ = run(make_config(environment="open_spiel/tic_tac_toe", total_timesteps=32, agent=agent))
    spec = EnvironmentSpec(id="open_spiel/tic_tac_toe", opponent=trained.checkpoint.uri)
    with pytest.raises(EnvironmentSpecError, match=r"a features extractor of its own, .*Powers.*opponent cannot have"):
        run(make_config(environment=spec, total_timesteps=32), folder="against")
