"""Rollouts of stock SB3's, learnt from by stock SB3 and by the learner of `backend: rllib`, without a Ray.

Prints JSON. `updates`: the largest distance of a parameter after each, how far it moved one, and what each logged of
it; a minibatch is a whole rollout, so the order in which samples are drawn makes no difference. `kept`: see there.
"""

import json
from itertools import pairwise
from typing import Any

import numpy as np
from gymnasium import spaces
from ray import tune
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.env.single_agent_episode import SingleAgentEpisode
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from rlsweep.config.agent import AgentConfig, NetworkConfig, PPOConfig
from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import EnvironmentSpec, TrainingConfig
from rlsweep.envs import make_env
from rlsweep.rllib.environment import ACTION_MASK, OBSERVATIONS, Observed, make
from rlsweep.rllib.learner import SCHEDULED, Learner
from rlsweep.rllib.module import PolicyState
from rlsweep.rllib.runners import Runner
from rlsweep.rllib.workers import algorithm_config
from rlsweep.training.algorithms import build_model, load_algorithm
from rlsweep.training.changing import ChangingValues
from rlsweep.training.remote_workers import ScheduledValues
from rlsweep.training.vector import LeanVecEnv

STEPS = 64
EPOCHS = 3
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "masks": ("MaskablePPO", "open_spiel/connect_four", {}),
    "values clipped": ("MaskablePPO", "open_spiel/connect_four", {"clip_range_vf": 0.01}),
    "advantages as they are": ("PPO", "CartPole-v1", {"normalize_advantage": False}),
    "values that change": (
        "PPO",
        "CartPole-v1",
        {"ent_coef": {"0": 0.0, "64": 0.5}, "vf_coef": {"0": 0.5, "64": 2.0}, "max_grad_norm": {"0": 0.5, "9": 0.05}},
    ),
    "continuous actions": ("PPO", "Pendulum-v1", {"max_grad_norm": 0.1}),
}


class Nothing(BaseCallback):
    def _on_step(self) -> bool:
        return True


def episodes_of(model: OnPolicyAlgorithm, like: Observed) -> list[SingleAgentEpisode]:
    """The rollout in the model's buffer, of one environment, as an env runner sends it."""
    buffer = model.rollout_buffer
    parts = {OBSERVATIONS: [*buffer.observations[:, 0], model._last_obs[0]]}
    if ACTION_MASK in like.observation_space.spaces:
        last = model.env.env_method("action_masks")[0]
        parts[ACTION_MASK] = [*buffer.action_masks.reshape(STEPS, -1).astype(np.uint8), last.astype(np.uint8)]
    starts = {step for step in range(STEPS) if buffer.episode_starts[step, 0]}
    if model._last_episode_starts[0]:
        starts.add(STEPS)
    bounds = sorted({0, STEPS} | starts)
    return [
        SingleAgentEpisode(
            observation_space=like.observation_space,
            action_space=like.action_space,
            observations=[{name: part[step] for name, part in parts.items()} for step in range(begin, end + 1)],
            actions=[
                int(action[0]) if isinstance(like.action_space, spaces.Discrete) else action
                for action in buffer.actions[begin:end, 0]
            ],
            rewards=[float(reward) for reward in buffer.rewards[begin:end, 0]],
            infos=[{}] * (end - begin + 1),
            terminated=end in starts,
            extra_model_outputs={"action_logp": list(buffer.log_probs[begin:end, 0])},
            len_lookback_buffer=0,
        ).to_numpy()
        for begin, end in pairwise(bounds)
    ]


def config_of(algorithm: str, environment: str, ppo: dict[str, Any]) -> RunConfig:
    return RunConfig(
        agent=AgentConfig(
            agent_id="test_agent",
            name="Test",
            algorithm=algorithm,
            version=1,
            learning_rate=1e-3,
            n_steps=STEPS,
            n_epochs=EPOCHS,
            batch_size=STEPS,
            network=NetworkConfig(net_arch=(16, 8)),
            ppo=PPOConfig(**ppo),
        ),
        training=TrainingConfig(environment=EnvironmentSpec(id=environment), engine="stock"),
        mode=Mode.FULL,
        budget=Budget(total_timesteps=STEPS),
        seed=3,
    )


def compare(algorithm: str, environment: str, ppo: dict[str, Any]) -> dict[str, Any]:
    config = config_of(algorithm, environment, ppo)
    env = LeanVecEnv([lambda: make_env(config.training.environment, seed=3)])
    model = build_model(load_algorithm(algorithm), config, env)
    model.set_logger(Logger(None, []))
    _, callback = model._setup_learn(STEPS, Nothing())
    model.collect_rollouts(env, callback, model.rollout_buffer, model.n_steps)
    begun = PolicyState.of(model.policy, model.policy.optimizer)

    like = Observed(env.envs[0], uses_masks=ALGORITHMS[algorithm].uses_masks)
    rllib = algorithm_config(config, seed=0)
    like_spaces = {DEFAULT_MODULE_ID: (like.observation_space, like.action_space)}
    learner = Learner(config=rllib, module_spec=rllib.get_multi_rl_module_spec(spaces=like_spaces))
    learner.build()
    learner.take(begun, seed=0)
    ChangingValues(config.agent).apply(model, STEPS)
    scheduled = ScheduledValues.of(model)
    learner.update(
        episodes=episodes_of(model, like),
        timesteps={SCHEDULED: scheduled},
        num_epochs=scheduled.n_epochs,
        minibatch_size=STEPS,
        shuffle_batch_per_epoch=True,
    )
    model.train()
    ours, theirs = learner.give().weights, model.policy.state_dict()
    return {
        "distance": max(float((ours[name] - theirs[name]).abs().max()) for name in theirs),
        "moved": max(float((begun.weights[name] - theirs[name]).abs().max()) for name in theirs),
        "ours": learner.report(),
        "theirs": {name: float(value) for name, value in model.logger.name_to_value.items()},
    }


def kept_by_a_runner() -> int:
    """Episodes that an env runner still holds after it has sent them."""
    tune.register_env("rlsweep", make)
    config = config_of("MaskablePPO", "open_spiel/connect_four", {})
    runner = Runner(config=algorithm_config(config, seed=0), worker_index=1, num_workers=1)
    for _ in range(2):
        assert len(runner.sample(num_timesteps=STEPS)) > 1
    return len(runner._done_episodes_for_metrics) + len(runner._ongoing_episodes_for_metrics)


if __name__ == "__main__":
    print(
        json.dumps(
            {
                "updates": {name: compare(*case) for name, case in CASES.items()},
                "kept": kept_by_a_runner(),
            }
        )
    )
