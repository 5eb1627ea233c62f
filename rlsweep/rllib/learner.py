"""RLlib's PPO learner, with SB3's loss, optimizer and minibatches."""

from typing import Any

import torch
from ray.rllib.algorithms.ppo.torch.ppo_torch_learner import PPOTorchLearner
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.core.columns import Columns
from ray.rllib.evaluation.postprocessing import Postprocessing
from ray.rllib.policy.sample_batch import MultiAgentBatch, SampleBatch
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.utils import explained_variance, set_random_seed
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from rlsweep.rllib.module import PolicyModule, PolicyState
from rlsweep.training.remote_workers import ScheduledValues

SCHEDULED = "scheduled"
"""Key of the ScheduledValues in the timesteps of an update."""

_OLD_VALUES = "old_values"


class Learner(PPOTorchLearner):
    """One process of the learner group. Each computes the mean over its part; gradients are averaged over all.

    RLlib normalises advantages over the whole batch, adds a step to each episode, does not shuffle the first epoch and
    replaces NaN gradients by zeros. This class makes SB3's minibatches instead: only played steps, shuffled, with
    advantages that the loss normalises. NaN gradients stay NaN, so that the run detects divergence.
    """

    @override
    def build(self) -> None:
        super().build()
        self._scheduled: ScheduledValues
        self._minibatches: list[Tensor] = []
        self._explained_variance = float("nan")

    @override
    def configure_optimizers_for_module(self, module_id: str, config: Any = None) -> None:
        params = self.get_parameters(self.module[module_id])
        # `foreach` unset, as in SB3
        optimizer = torch.optim.Adam(params, lr=config.lr, eps=1e-5)
        self.register_optimizer(module_id=module_id, optimizer=optimizer, params=params)

    @override
    def before_gradient_based_update(self, *, timesteps: dict[str, Any]) -> None:
        super().before_gradient_based_update(timesteps=timesteps)
        self._scheduled = timesteps[SCHEDULED]
        self._minibatches.clear()
        self._set_optimizer_lr(self._optimizer, self._scheduled.learning_rate)

    @override
    def _make_batch_if_necessary(self, training_data: Any) -> MultiAgentBatch:
        made = super()._make_batch_if_necessary(training_data=training_data)[  # type: ignore[no-untyped-call]
            DEFAULT_MODULE_ID
        ]
        with torch.no_grad():
            made[_OLD_VALUES] = self._policy_module.compute_values(made)
        made[Postprocessing.ADVANTAGES] = made[Postprocessing.VALUE_TARGETS] - made[_OLD_VALUES]
        played = torch.nonzero(made.pop(Columns.LOSS_MASK)).squeeze(-1)
        rows = played[torch.randperm(len(played), device=played.device)]
        columns = {name: _taken(made[name], rows) for name in made}
        self._explained_variance = explained_variance(
            columns[_OLD_VALUES].cpu().numpy(), columns[Postprocessing.VALUE_TARGETS].cpu().numpy()
        )
        return MultiAgentBatch({DEFAULT_MODULE_ID: SampleBatch(columns)}, env_steps=len(rows))

    @override
    def compute_loss_for_module(
        self, *, module_id: str, config: Any, batch: dict[str, Any], fwd_out: dict[str, Any]
    ) -> Tensor:
        """The loss of one minibatch, as in SB3's `PPO.train`."""
        rates = self._scheduled
        distribution = self._policy_module.get_train_action_dist_cls().from_logits(fwd_out[Columns.ACTION_DIST_INPUTS])
        values, old_values = fwd_out[Columns.VF_PREDS], batch[_OLD_VALUES]
        advantages = batch[Postprocessing.ADVANTAGES]
        if config.learner_config_dict["normalize_advantage"] and len(advantages) > 1:
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        log_ratio = distribution.logp(batch[Columns.ACTIONS]) - batch[Columns.ACTION_LOGP]
        ratio = torch.exp(log_ratio)
        clipped = torch.clamp(ratio, 1 - rates.clip_range, 1 + rates.clip_range)
        policy_loss = -torch.min(advantages * ratio, advantages * clipped).mean()
        if rates.clip_range_vf is not None:
            values = old_values + torch.clamp(values - old_values, -rates.clip_range_vf, rates.clip_range_vf)
        value_loss = functional.mse_loss(batch[Postprocessing.VALUE_TARGETS], values)
        entropy_loss = -distribution.entropy().mean()
        loss: Tensor = policy_loss + rates.ent_coef * entropy_loss + rates.vf_coef * value_loss
        with torch.no_grad():
            approx_kl = ((ratio - 1) - log_ratio).mean()
            clip_fraction = ((ratio - 1).abs() > rates.clip_range).float().mean()
            self._minibatches.append(
                torch.stack([policy_loss, value_loss, entropy_loss, clip_fraction, loss, approx_kl])
            )
        return loss

    @override
    def apply_gradients(self, gradients_dict: dict[Any, Tensor]) -> None:
        torch.nn.utils.clip_grad_norm_(list(self._params.values()), self._scheduled.max_grad_norm)
        self._optimizer.step()

    def report(self) -> dict[str, float]:
        """Diagnostics of the last update, as SB3 logs them: means over all minibatches; the KL over the last epoch."""
        steps = torch.stack(self._minibatches).cpu().numpy()
        policy_loss, value_loss, entropy_loss, clip_fraction, _, _ = steps.mean(axis=0)
        last_epoch = steps[-max(1, len(steps) // self._scheduled.n_epochs) :]
        return {
            "train/entropy_loss": float(entropy_loss),
            "train/policy_gradient_loss": float(policy_loss),
            "train/value_loss": float(value_loss),
            "train/approx_kl": float(last_epoch[:, 5].mean()),
            "train/clip_fraction": float(clip_fraction),
            "train/gradient_steps": float(len(steps)),
            "train/loss": float(steps[-1, 4]),
            "train/explained_variance": float(self._explained_variance),
        }

    def take(self, state: PolicyState, *, seed: int) -> None:
        """Load a policy's state, and draw minibatches from `seed`."""
        self._policy.load_state_dict(state.weights)
        self._optimizer.load_state_dict(state.optimizer)
        set_random_seed(seed)

    def give(self) -> PolicyState:
        """The policy's current state."""
        return PolicyState.of(self._policy, self._optimizer)

    @property
    def _policy(self) -> ActorCriticPolicy:
        return self._policy_module.policy

    @property
    def _policy_module(self) -> PolicyModule:
        module = self.module[DEFAULT_MODULE_ID].unwrapped()
        assert isinstance(module, PolicyModule)
        return module

    @property
    def _optimizer(self) -> torch.optim.Optimizer:
        (optimizer,) = self._named_optimizers.values()
        return optimizer


def _taken(column: Any, rows: Tensor) -> Any:
    """The rows of a column, which may be a Dict observation."""
    return {name: part[rows] for name, part in column.items()} if isinstance(column, dict) else column[rows]
