"""Gives a model the hyperparameters of the next rollout and its update, where a config has values by env steps."""

from typing import Any

from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.utils import FloatSchedule

from rlsweep.config.agent import AgentConfig
from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.differences import flat_hyperparameters
from rlsweep.config.in_force import InForce, in_force
from rlsweep.config.stepped import is_stepped
from rlsweep.training.algorithms import scheduled
from rlsweep.training.vector import normalizer_of


class ChangingValues:
    """The values are a function of the config and of env steps alone, so that a resumed run has the same ones."""

    def __init__(self, agent: AgentConfig) -> None:
        self._agent = agent
        changing = [key for key, value in flat_hyperparameters(agent).items() if is_stepped(value)]
        self._names = [key.rpartition(".")[2] for key in changing]
        self._is_ppo = "n_epochs" in ALGORITHMS[agent.algorithm].hyperparameters

    def apply(self, model: OnPolicyAlgorithm, env_steps: int) -> None:
        """Set the values for a rollout that begins at `env_steps`, as if the model had been built with them."""
        if not self._names:
            return
        now = in_force(self._agent, env_steps)
        model.learning_rate = scheduled(now.learning_rate)
        model._setup_lr_schedule()
        model.gamma = model.rollout_buffer.gamma = now.gamma
        model.gae_lambda = model.rollout_buffer.gae_lambda = now.gae_lambda
        model.ent_coef, model.vf_coef, model.max_grad_norm = now.ent_coef, now.vf_coef, now.max_grad_norm
        if self._is_ppo:
            vars(model).update(_of_ppo(now))
        assert model.env is not None
        if (normalizer := normalizer_of(model.env)) is not None:
            normalizer.gamma = now.gamma

    def of(self, env_steps: int) -> dict[str, float]:
        """The values by name that change in this run, as they are for a rollout that begins at `env_steps`."""
        now = in_force(self._agent, env_steps)
        values = {name: getattr(now, name) for name in self._names}
        return {name: value for name, value in values.items() if value is not None}


def _of_ppo(now: InForce) -> dict[str, Any]:
    clip_range_vf = now.clip_range_vf
    return {
        "n_epochs": now.n_epochs,
        "batch_size": now.batch_size,
        "target_kl": now.target_kl,
        "clip_range": FloatSchedule(scheduled(now.clip_range)),
        "clip_range_vf": None if clip_range_vf is None else FloatSchedule(scheduled(clip_range_vf)),
    }
