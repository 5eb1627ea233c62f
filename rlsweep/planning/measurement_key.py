"""Keys of measurements: runs with equal keys need the same time and memory per env step."""

import json
from collections.abc import Callable

from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.environments import is_checkpoint
from rlsweep.config.in_force import in_force
from rlsweep.config.run import RunConfig
from rlsweep.planning import own_files

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
    """A key that is equal for runs with equally expensive env steps: same environment, executed in the same way."""
    return json.dumps([config.training.model_dump_json(include=_OF_ENVIRONMENT), config.has_evaluation_environment])


def network_key(config: RunConfig) -> str:
    """A key that is equal for runs with equally expensive actions and gradient steps, in equal environments."""
    agent = config.agent
    explores_by_state = agent.ppo.use_sde and agent.ppo.sde_sample_freq
    decays = agent.optimizer.weight_decay != 0  # then the stock engine trains
    network = agent.network.model_dump_json()
    return json.dumps([agent.algorithm, network, rollout_length(config), explores_by_state, decays])


def measurement_key(config: RunConfig, stamp: Callable[[str], str | None] = own_files.stamp) -> str | None:
    """A key that is equal for runs that can share a measurement; None if the config does not determine it.

    stamp: what tells whether the files of a user's own class have changed; see `own_files.stamp`

    An opponent's checkpoint is a file too, which training replaces: a run against one is measured each time.
    """
    environment, evaluation = config.training.environment, config.training.evaluation
    if is_checkpoint(environment.opponent) or is_checkpoint(evaluation.opponent):
        return None
    extractor = config.agent.network.features_extractor
    named = [environment.id.partition("(")[0], *(wrapper.id for wrapper in environment.wrappers), extractor or ""]
    stamps = [stamp(reference) for reference in named if ":" in reference]
    if None in stamps:
        return None
    return json.dumps([environment_key(config), network_key(config), config.agent.n_steps, evaluation.opponent, stamps])


def rollout_length(config: RunConfig) -> int:
    """Env steps per environment that fill a first update's minibatch; without minibatches, a rollout's."""
    agent = config.agent
    if "batch_size" not in ALGORITHMS[agent.algorithm].hyperparameters:
        return agent.n_steps
    return min(agent.n_steps, -(-in_force(agent, 0).batch_size // config.training.n_envs))
