"""SB3's policy as an RLlib module: layers, initialisation, preprocessing, masks and weights are SB3's."""

from dataclasses import dataclass
from typing import Any

import torch
from gymnasium import spaces
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.apis.value_function_api import ValueFunctionAPI
from ray.rllib.core.rl_module.torch.torch_rl_module import TorchRLModule
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor
from typing_extensions import override

from rlsweep.config.run import RunConfig
from rlsweep.rllib.environment import ACTION_MASK, OBSERVATIONS
from rlsweep.training.algorithms import build_policy

ILLEGAL = -1e8
"""Logit of an illegal action, as in sb3-contrib's MaskableCategorical."""


class PolicyModule(TorchRLModule, ValueFunctionAPI):
    """The module; `model_config["run"]` is the record of the run's config."""

    @override
    def setup(self) -> None:
        assert isinstance(self.model_config, dict)
        assert isinstance(self.observation_space, spaces.Dict)
        assert self.action_space is not None
        config = RunConfig.from_record(self.model_config["run"])
        self.policy = build_policy(config, self.observation_space[OBSERVATIONS], self.action_space)

    @override
    def _forward(self, batch: dict[str, Any], **_: Any) -> dict[str, Any]:
        latent = self._latents(batch)[0]
        return {Columns.ACTION_DIST_INPUTS: self._distribution_inputs(latent, batch)}

    @override
    def _forward_train(self, batch: dict[str, Any], **_: Any) -> dict[str, Any]:
        latent, latent_value = self._latents(batch)
        return {
            Columns.ACTION_DIST_INPUTS: self._distribution_inputs(latent, batch),
            Columns.VF_PREDS: self.policy.value_net(latent_value).squeeze(-1),
        }

    @override
    def compute_values(self, batch: dict[str, Any], embeddings: Any = None) -> Tensor:
        _, latent_value = self._latents(batch)
        values: Tensor = self.policy.value_net(latent_value).squeeze(-1)
        return values

    def _latents(self, batch: dict[str, Any]) -> tuple[Tensor, Tensor]:
        features = self.policy.extract_features(batch[Columns.OBS][OBSERVATIONS])
        latents: tuple[Tensor, Tensor] = self.policy.mlp_extractor(features)
        return latents

    def _distribution_inputs(self, latent: Tensor, batch: dict[str, Any]) -> Tensor:
        """Logits of a Discrete action; concatenated mean and log standard deviation of a Box action."""
        actions: Tensor = self.policy.action_net(latent)
        if isinstance(self.action_space, spaces.Box):
            return torch.cat([actions, self.policy.log_std.expand_as(actions)], dim=-1)
        mask = batch[Columns.OBS].get(ACTION_MASK)
        return actions if mask is None else torch.where(mask.bool(), actions, ILLEGAL)


@dataclass(frozen=True, slots=True)
class PolicyState:
    """Copies, on the CPU, of an SB3 policy's weights and its optimizer's state, in the form of `state_dict`."""

    weights: dict[str, Tensor]
    optimizer: dict[str, Any]

    @classmethod
    def of(cls, policy: ActorCriticPolicy, optimizer: torch.optim.Optimizer) -> "PolicyState":
        """Copy the state of a policy and its optimizer."""
        return cls(_on_cpu(policy.state_dict()), _on_cpu(optimizer.state_dict()))


def module_weights(state: PolicyState) -> dict[str, Tensor]:
    """The state in the form of `PolicyModule.set_state`."""
    return {f"policy.{name}": value for name, value in state.weights.items()}


def _on_cpu(state: Any) -> Any:
    if isinstance(state, Tensor):
        return state.detach().cpu().clone()
    if isinstance(state, dict):
        return {key: _on_cpu(value) for key, value in state.items()}
    return [_on_cpu(value) for value in state] if isinstance(state, list) else state
