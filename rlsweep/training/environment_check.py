"""Check an environment before a smoke run, so that its faults show at once and not as an obscure error later."""

from typing import Any

import gymnasium as gym
import numpy as np

from rlsweep.config.run import RunConfig
from rlsweep.envs import make_env
from rlsweep.errors import EnvironmentSpecError
from rlsweep.training.seeding import evaluation_seed

STEPS = 50


def check_environment(config: RunConfig) -> None:
    """Play STEPS random legal actions in a separate environment and check observations, rewards and action masks.

    Raises EnvironmentSpecError if an observation is not finite or outside its space, a reward is not finite, or an
    action mask has the wrong shape or allows no action.
    """
    spec = config.training.environment
    seed = evaluation_seed(config.seed)
    env = make_env(spec, seed=seed, max_steps_per_episode=config.training.max_steps_per_episode)
    random = np.random.default_rng(seed)
    try:
        observation, _ = env.reset(seed=seed)
        for _step in range(STEPS):
            _check_observation(observation, env, spec.id)
            action = _random_action(env, random, spec.id)
            observation, reward, terminated, truncated, _ = env.step(action)
            if not np.isfinite(float(reward)):
                raise EnvironmentSpecError(f"Environment '{spec.id}' gave a reward of {reward}.")
            if terminated or truncated:
                observation, _ = env.reset()
    finally:
        env.close()


def _check_observation(observation: Any, env: gym.Env[Any, Any], environment_id: str) -> None:
    parts = observation.values() if isinstance(observation, dict) else [observation]
    if not all(np.isfinite(part).all() for part in parts):
        raise EnvironmentSpecError(f"Environment '{environment_id}' gave an observation that is NaN or infinite.")
    if not env.observation_space.contains(observation):
        raise EnvironmentSpecError(
            f"Environment '{environment_id}' gave an observation outside its observation space {env.observation_space}."
        )


def _random_action(env: gym.Env[Any, Any], random: np.random.Generator, environment_id: str) -> Any:
    space = env.action_space
    if not isinstance(space, gym.spaces.Discrete):
        return space.sample()
    mask = np.asarray(env.get_wrapper_attr("action_masks")())
    if mask.shape != (int(space.n),):
        raise EnvironmentSpecError(
            f"Environment '{environment_id}' has {space.n} actions, but its action mask has shape {mask.shape}."
        )
    legal = np.flatnonzero(mask)
    if legal.size == 0:
        raise EnvironmentSpecError(f"Environment '{environment_id}' gave an action mask that allows no action.")
    return int(random.choice(legal))
