"""A short look at an environment before a smoke run: what would otherwise surface as an odd error in the middle."""

from typing import Any

import gymnasium as gym
import numpy as np

from rlsweep.config.run import RunConfig
from rlsweep.envs import make_env
from rlsweep.errors import EnvironmentSpecError
from rlsweep.training.seeding import evaluation_seed

STEPS = 50


def check_environment(config: RunConfig) -> None:
    """Play some random legal actions in an environment of its own and look at everything it gives.

    Raises EnvironmentSpecError where an observation lies outside its space or is not finite, a reward is not finite,
    a mask has the wrong shape or leaves no action.
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
            f"Environment '{environment_id}' gave an observation outside its own space {env.observation_space}."
        )


def _random_action(env: gym.Env[Any, Any], random: np.random.Generator, environment_id: str) -> Any:
    space = env.action_space
    if not isinstance(space, gym.spaces.Discrete):
        return space.sample()
    mask = np.asarray(env.get_wrapper_attr("action_masks")())
    if mask.shape != (int(space.n),):
        raise EnvironmentSpecError(
            f"Environment '{environment_id}' has {space.n} actions, but its action mask has the shape {mask.shape}."
        )
    legal = np.flatnonzero(mask)
    if legal.size == 0:
        raise EnvironmentSpecError(f"Environment '{environment_id}' gave an action mask that leaves no legal action.")
    return int(random.choice(legal))
