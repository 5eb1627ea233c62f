"""What a measurement depends on: runs with equal keys take the same time and memory per env step."""

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
    """Equal for runs whose env steps cost the same: the environment, and how it is run."""
    return config.training.model_dump_json(include=_OF_ENVIRONMENT)


def network_key(config: RunConfig) -> str:
    """Equal for runs whose actions and gradient steps cost the same, in equal environments."""
    agent = config.agent
    return json.dumps([agent.algorithm, agent.network.model_dump_json(), rollout_length(config)])


def measurement_key(config: RunConfig) -> str | None:
    """Equal for runs that share a measurement; None where the config alone cannot tell.

    A class of the user's own and an opponent's checkpoint are files: they change while their names stay the same.
    """
    environment = config.training.environment
    if ":" in environment.id.partition("(")[0] or is_checkpoint(environment.opponent):
        return None
    return json.dumps([environment_key(config), network_key(config), config.agent.n_steps])


def rollout_length(config: RunConfig) -> int:
    """Env steps in each environment that fill a minibatch, or the rollout for algorithms without minibatches."""
    agent = config.agent
    if "batch_size" not in ALGORITHMS[agent.algorithm].hyperparameters:
        return agent.n_steps
    return min(agent.n_steps, -(-agent.batch_size // config.training.n_envs))
