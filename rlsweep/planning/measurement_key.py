"""What a measurement depends on: runs that agree in it take as long and as much memory a step as each other."""

import json

from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.environments import is_checkpoint
from rlsweep.config.run import RunConfig

_OF_ENVIRONMENT = {
    "environment",
    "n_envs",
    "vec_env",
    "max_steps_per_episode",
    "normalize_observations",
    "normalize_rewards",
    "device",
    "engine",
}


def environment_key(config: RunConfig) -> str:
    """Equal where playing is: the environment, and how it is run."""
    return config.training.model_dump_json(include=_OF_ENVIRONMENT)


def network_key(config: RunConfig) -> str:
    """Equal where choosing an action and a gradient step are, in equal environments."""
    agent = config.agent
    return json.dumps([agent.algorithm, agent.network.model_dump_json(), rollout_length(config)])


def measurement_key(config: RunConfig) -> str | None:
    """Equal where the whole measurement is; None where it cannot be told by the config alone.

    A class of the user's own, and a checkpoint as the opponent, are files that change without their names.
    """
    environment = config.training.environment
    if ":" in environment.id.partition("(")[0] or is_checkpoint(environment.opponent):
        return None
    return json.dumps([environment_key(config), network_key(config), config.agent.n_steps])


def rollout_length(config: RunConfig) -> int:
    """Steps per environment that make one gradient step: a minibatch, or all of the rollout."""
    agent = config.agent
    if "batch_size" not in ALGORITHMS[agent.algorithm].hyperparameters:
        return agent.n_steps
    return min(agent.n_steps, -(-agent.batch_size // config.training.n_envs))
