import subprocess
import sys

import pytest
from stable_baselines3.common.utils import LinearSchedule
from torch import nn

from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.training.algorithms import build_model, load_algorithm
from rlsweep.training.vector import make_vector

AGENT = {
    "learning_rate": "linear_0.002",
    "gamma": 0.9,
    "n_steps": 24,
    "batch_size": 12,
    "n_epochs": 3,
    "network": {"net_arch": {"pi": [5, 4], "vf": [7]}, "activation_fn": "elu"},
    "ppo": {
        "clip_range": "linear_0.3",
        "clip_range_vf": 0.4,
        "ent_coef": 0.02,
        "vf_coef": 0.6,
        "max_grad_norm": 0.7,
        "gae_lambda": 0.8,
        "normalize_advantage": False,
        "target_kl": 0.05,
    },
}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_hyperparameter_reaches_the_model(make_config, algorithm):
    config = make_config(algorithm=algorithm, total_timesteps=1, agent=AGENT)
    env = make_vector(config)
    model = build_model(load_algorithm(algorithm), config, env)
    assert isinstance(model.lr_schedule.value_schedule, LinearSchedule)
    assert model.lr_schedule(0.5) == pytest.approx(0.001)
    assert model.seed == config.seed
    plain = ("gamma", "n_steps")
    of_ppo = ("ent_coef", "vf_coef", "max_grad_norm", "gae_lambda", "normalize_advantage")
    assert {name: getattr(model, name) for name in plain} == {name: AGENT[name] for name in plain}
    assert {name: getattr(model, name) for name in of_ppo} == {name: AGENT["ppo"][name] for name in of_ppo}
    if "ppo.clip_range" in ALGORITHMS[algorithm].hyperparameters:
        assert (model.batch_size, model.n_epochs, model.target_kl) == (12, 3, 0.05)
        assert (model.clip_range(0.5), model.clip_range_vf(0.5)) == pytest.approx((0.15, 0.4))
    policy, value = model.policy.mlp_extractor.policy_net, model.policy.mlp_extractor.value_net
    assert [layer.out_features for layer in policy if isinstance(layer, nn.Linear)] == [5, 4]
    assert [layer.out_features for layer in value if isinstance(layer, nn.Linear)] == [7]
    assert sum(isinstance(layer, nn.ELU) for layer in policy) == 2


def test_a_batch_size_that_does_not_divide_the_rollout_is_the_plans_to_warn_of(make_config):
    config = make_config(algorithm="PPO", total_timesteps=1, agent={"n_steps": 32, "batch_size": 24})
    build_model(load_algorithm("PPO"), config, make_vector(config))


@pytest.mark.parametrize("module", ["training.recorder", "planning.measure"])
def test_what_planning_and_recording_import_is_light(module):
    code = f"import sys, rlsweep.{module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "ray", "stable_baselines3", "gymnasium", "psycopg"} & set(loaded)
