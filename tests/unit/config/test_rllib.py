from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rlsweep.config.agent import AgentConfig, NetworkConfig, OptimizerConfig, PPOConfig
from rlsweep.config.rllib import bundles, rllib_problems
from rlsweep.config.run import Mode
from rlsweep.config.training import EnvironmentSpec, RLlibConfig, TrainingConfig
from rlsweep.errors import ConfigError
from rlsweep.planning.plan import make_run


def agent(**keys: Any) -> AgentConfig:
    return AgentConfig(agent_id="a", name="A", version=1, **{"algorithm": "MaskablePPO"} | keys)


def training(**keys: Any) -> TrainingConfig:
    return TrainingConfig(**{"backend": "rllib"} | keys)


@pytest.mark.parametrize(
    ("agent_keys", "training_keys", "said"),
    [
        ({"algorithm": "A2C"}, {}, "algorithm: backend: rllib trains MaskablePPO and PPO, not A2C; use sb3"),
        ({"ppo": PPOConfig(target_kl=0.1)}, {}, "ppo.target_kl: RLlib cannot end an update early; remove it, or use "
         "backend: sb3"),
        ({"gamma": {"0": 0.9, "100": 0.8}}, {}, "gamma: RLlib cannot change it while a run trains; give it one value, "
         "or use backend: sb3"),
        ({}, {"normalize_rewards": True}, "normalize_rewards: backend: rllib has no running statistics; set it to "
         "false, or use backend: sb3"),
        ({}, {"environment": EnvironmentSpec(opponent="self")}, "environment.opponent: backend: rllib cannot play the "
         "run's own policies; use backend: sb3"),
        ({}, {"vec_env": "subproc"}, "vec_env: backend: rllib uses env runners, not subproc; set "
         "rllib.env_runners"),
        ({}, {"engine": "fast"}, "engine: fast is an engine of backend: sb3; remove it"),
        ({}, {"device": "cuda"}, "device: backend: rllib uses the GPUs that rllib.gpus_per_learner requests; remove "
         "it"),
        ({}, {"rllib": RLlibConfig(gpus_per_learner=1.0)}, "rllib.gpus_per_learner: needs at least one learner; set "
         "rllib.learners: 1 or more"),
        ({}, {"n_envs": 3, "rllib": RLlibConfig(env_runners=2)}, "n_envs: 3 cannot be divided evenly between 2 env "
         "runners; make it a multiple of rllib.env_runners"),
        ({"n_steps": 128}, {"rllib": RLlibConfig(learners=3), "n_envs": 3}, "batch_size: 64 samples cannot be divided "
         "evenly between 3 learners; make them a multiple of rllib.learners"),
        ({"n_steps": 129, "batch_size": 64}, {"rllib": RLlibConfig(learners=2)}, "n_steps: 129 samples cannot be "
         "divided evenly between 2 learners; make them a multiple of rllib.learners"),
        ({"ppo": PPOConfig(use_sde=True)}, {}, "ppo.use_sde: RLlib does not explore by gSDE; set it to false, or use "
         "backend: sb3"),
        ({"optimizer": OptimizerConfig(weight_decay=0.1)}, {}, "optimizer.weight_decay: backend: rllib does not "
         "support it; remove it, or use backend: sb3"),
        ({"network": NetworkConfig(features_extractor="a:B")}, {}, "network.features_extractor: backend: rllib does "
         "not support it; remove it, or use backend: sb3"),
    ],
)  # fmt: skip
def test_what_rllib_cannot_do_is_refused(agent_keys: dict[str, Any], training_keys: dict[str, Any], said: str) -> None:
    assert rllib_problems(agent(**agent_keys), training(**training_keys)) == [said]
    assert rllib_problems(agent(**agent_keys), training(**training_keys, backend="sb3")) == []


def test_all_of_it_is_told_with_the_file(write_agent: Callable[..., Path], write_base: Callable[..., Path]) -> None:
    file = write_agent(algorithm="A2C")
    base = write_base(backend="rllib", vec_env="subproc")
    with pytest.raises(ConfigError) as caught:
        make_run(file, base_config=base, mode=Mode.FULL, episodes=None, total_timesteps=None)
    assert [problem.split(": ")[:2] for problem in caught.value.problems] == [
        [str(file), "algorithm"],
        [str(file), "vec_env"],
    ]


def test_keys_of_the_block_can_be_set_one_by_one(
    write_agent: Callable[..., Path], write_base: Callable[..., Path]
) -> None:
    base = write_base(backend="rllib", rllib={"learners": 2}, n_envs=4)
    made = make_run(
        write_agent(),
        base_config=base,
        overrides=["rllib.env_runners=4", "gpus_per_learner=0.5"],
        mode=Mode.FULL,
        episodes=None,
        total_timesteps=None,
    )
    assert made.config.training.rllib == RLlibConfig(env_runners=4, learners=2, gpus_per_learner=0.5)


def test_what_a_run_asks_of_ray() -> None:
    assert bundles(training(rllib=RLlibConfig(env_runners=2))) == [{"CPU": 1.0}, {"CPU": 1.0}]
    assert bundles(training(rllib=RLlibConfig(learners=1))) == [{"CPU": 1.0}, {"CPU": 1.0}]
    assert bundles(training(rllib=RLlibConfig(learners=1, gpus_per_learner=0.5))) == [{"CPU": 1.0}, {"GPU": 0.5}]
