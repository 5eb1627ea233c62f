"""Time the env steps of evaluations, in an environment of their own, as a run has it beside those that train."""

import time
from typing import Any

from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.run import RunConfig
from rlsweep.training.evaluation import PolicyPlayer, make_evaluation_env
from rlsweep.training.vector import normalizer_of

EVALUATION_SECONDS = 0.2


class EvaluationProbe:
    """The environment of a run's evaluations. Made while the run's other environments are open, as in a run."""

    def __init__(self, config: RunConfig) -> None:
        """Raises EnvironmentSpecError if this instance cannot be made beside the others."""
        self._env = make_evaluation_env(config)

    def seconds_per_step(self, model: OnPolicyAlgorithm, config: RunConfig) -> float:
        """Play with the model's deterministic policy for about EVALUATION_SECONDS; the first step is not counted."""
        assert model.env is not None
        player = PolicyPlayer(model, normalizer_of(model.env), uses_masks=ALGORITHMS[config.agent.algorithm].uses_masks)
        observation = self._step(player, self._env.reset()[0])  # the first step may import or compile
        steps, started = 0, time.perf_counter()
        while (seconds := time.perf_counter() - started) < EVALUATION_SECONDS or not steps:
            observation = self._step(player, observation)
            steps += 1
        return seconds / steps

    def _step(self, player: PolicyPlayer, observation: Any) -> Any:
        """Return the next observation: of the next episode if this one ended."""
        observation, _, terminated, truncated, _ = self._env.step(player.act(observation, self._env))
        return self._env.reset()[0] if terminated or truncated else observation

    def close(self) -> None:
        """Close the environment."""
        self._env.close()
