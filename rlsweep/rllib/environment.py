"""The run's environment, wrapped for RLlib's env runners."""

from pathlib import Path
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from ray.rllib.env.env_context import EnvContext
from stable_baselines3.common.utils import set_random_seed

from rlsweep import child_signals
from rlsweep.cluster.working_folder import enter
from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.run import RunConfig
from rlsweep.envs import make_env
from rlsweep.training.seeding import resumed_seed

OBSERVATIONS = "observations"
ACTION_MASK = "action_mask"


class Observed(gym.Wrapper[Any, Any, Any, Any]):
    """An environment whose observation is a Dict: `observations`, and `action_mask` (uint8) for masked algorithms.

    A step's info contains only the outcome, because RLlib sends all infos with an episode.
    """

    def __init__(self, env: gym.Env[Any, Any], *, uses_masks: bool) -> None:
        super().__init__(env)
        self._masks = env.get_wrapper_attr("action_masks") if uses_masks else None
        self.observation_space = observed_space(env.observation_space, env.action_space, uses_masks=uses_masks)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        observation, _ = self.env.reset(seed=seed, options=options)
        return self._seen(observation), {}

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """One env step."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        outcome = info.get("outcome") if terminated or truncated else None
        kept = {} if outcome is None else {"outcome": str(outcome)}
        return self._seen(observation), reward, terminated, truncated, kept

    def _seen(self, observation: Any) -> dict[str, Any]:
        if self._masks is None:
            return {OBSERVATIONS: observation}
        return {OBSERVATIONS: observation, ACTION_MASK: self._masks().astype(np.uint8)}


def observed_space(observations: spaces.Space[Any], actions: spaces.Space[Any], *, uses_masks: bool) -> spaces.Dict:
    """The observation space of `Observed`."""
    parts = {OBSERVATIONS: observations}
    if uses_masks:
        assert isinstance(actions, spaces.Discrete)
        parts[ACTION_MASK] = spaces.Box(0, 1, (int(actions.n),), np.uint8)
    return spaces.Dict(parts)


def make(context: EnvContext) -> Observed:
    """Make one of an env runner's environments; `seed_runner` seeds it."""
    child_signals.set_in_children(child_signals.DEFAULT)  # Ray's are for its worker
    enter(Path(context["folder"]))
    config = RunConfig.from_record(context["run"])
    training = config.training
    env = make_env(training.environment, seed=context["seed"], max_steps_per_episode=training.max_steps_per_episode)
    return Observed(env, uses_masks=ALGORITHMS[config.agent.algorithm].uses_masks)


def seed_runner(*, env: gym.vector.VectorEnv[Any, Any, Any], env_context: EnvContext, **_: Any) -> None:
    """Seed each environment as SB3 would, and the policy's random generator.

    An env runner that replaces a dead one has a number above the configured count. It gets new seeds, so that it does
    not repeat episodes.
    """
    number = env_context.worker_index
    first = env_context["seed"] + (number - 1) * env.num_envs
    if number > (env_context.num_workers or 0):
        first = resumed_seed(first, number)
    env.reset(seed=[first + index for index in range(env.num_envs)])  # type: ignore[arg-type]  # SyncVectorEnv accepts a list
    set_random_seed(first)
