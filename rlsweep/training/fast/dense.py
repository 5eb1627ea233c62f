"""PPO's update on a GPU: all logits are computed and masked there, as in stock, but without autograd.

For a GPU, computing 36,000 logits is cheaper than selecting the legal ones. Nothing waits for the device within an
epoch, unless `target_kl` is set.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from torch import Tensor

from rlsweep.training.fast.adam import AdamSchedule, FlatParameters
from rlsweep.training.fast.networks import Architecture, Trunk
from rlsweep.training.fast.objective import Figure, Objective
from rlsweep.training.fast.rollout import LegalRolloutBuffer
from rlsweep.training.fast.samples import Samples
from rlsweep.training.fast.towers import Pass


class Batch:
    """All arrays and layers for a minibatch of B samples."""

    def __init__(self, architecture: Architecture, flat: FlatParameters, size: int, features: int) -> None:
        self.trunk = Trunk(architecture, flat.layer, flat.weights.new_empty(size, features))
        self._head = Pass(
            [flat.layer([architecture.action], None)], self.trunk.latent[None], d_inputs=self.trunk.d_latent[None]
        )
        self.logits, self.d_logits = self._head.outputs[0], self._head.d_outputs[0]
        self.transitions = flat.weights.new_empty(4, size)

    def forward(self) -> None:
        """Compute values and logits."""
        self.trunk.forward()
        self._head.forward()

    def backward(self) -> None:
        """Compute all gradients."""
        self._head.backward()
        self.trunk.backward()


class DenseUpdate:
    """Does the same as `LegalRowsUpdate`, only with torch, on any device."""

    def __init__(
        self,
        policy: MaskableActorCriticPolicy,
        buffer: LegalRolloutBuffer,
        objective: Objective,
        *,
        batch_size: int,
    ) -> None:
        self._architecture = Architecture.of(policy)
        action = self._architecture.action
        self._flat = FlatParameters(policy.optimizer, [*self._architecture.in_order(), action.weight, action.bias])
        self._schedule = AdamSchedule(policy.optimizer)
        self._adam = self._schedule.fused(self._flat)
        self._objective = objective
        self._samples = Samples(policy, buffer, like=self._flat.weights)
        self._figures = self._flat.weights.new_zeros(self._samples.minibatches(batch_size), len(Figure))
        self._batches: dict[int, Batch] = {}
        self._last: Batch | None = None

    def evaluate(self, chosen: NDArray[np.int64], number: int) -> None:
        """Compute a minibatch's diagnostics, and the derivatives of its loss by the networks' outputs.

        chosen (B,): samples, numbered as in SB3; number: index of the minibatch in its epoch
        """
        batch = self._last = self._batch(chosen.size)
        self._samples.copy(chosen, batch.trunk.features, batch.transitions)
        batch.forward()
        is_legal = self._samples.legal_mask(chosen, batch.logits)
        taken = torch.from_numpy(self._samples.actions[chosen]).to(is_legal.device)[:, None]
        log_p = batch.logits.masked_fill(~is_legal, -torch.inf).log_softmax(1)
        p = log_p.exp()
        log_probs = log_p.gather(1, taken)[:, 0]
        entropies = -(p * log_p).where(is_legal, 0).sum(1)
        d_log_probs = self._differentiate(batch, log_probs, entropies, self._figures[number])
        # the formulas of `gradients._backpropagate`
        d_entropy = -self._objective.ent_coef / chosen.size
        d_logits = -p * (d_log_probs[:, None] + d_entropy * (log_p + entropies[:, None]))
        batch.d_logits.copy_(d_logits.where(is_legal, 0)).scatter_add_(1, taken, d_log_probs[:, None])

    def step(self) -> None:
        """Take an optimizer step on the minibatch that was evaluated last."""
        assert self._last is not None
        self._last.backward()
        gradients = self._flat.gradients
        scale = self._objective.max_grad_norm / (torch.linalg.vector_norm(gradients) + 1e-6)
        gradients.mul_(scale.clamp(max=1.0))
        self._adam.step()

    def figures(self, minibatches: int) -> NDArray[np.float64]:
        """Diagnostics of the first minibatches of the epoch, (minibatches, 5), in the order of `Figure`."""
        figures: NDArray[np.float64] = self._figures[:minibatches].to("cpu", torch.float64, copy=True).numpy()
        return figures

    def close(self) -> None:
        """Write weights, moments and the number of steps to the policy and its optimizer."""
        self._flat.store()
        self._schedule.store(int(self._adam.state[self._flat.weights]["step"]))

    def _differentiate(self, batch: Batch, log_probs: Tensor, entropies: Tensor, figures: Tensor) -> Tensor:
        """Like `gradients._objective`: return the derivatives by log-probability (B,); write the others."""
        objective = self._objective
        old_values, old_log_probs, advantages, returns = batch.transitions.unbind()
        if objective.normalize_advantage:
            std, mean = torch.std_mean(advantages)
            advantages = (advantages - mean) / (std + 1e-8)
        log_ratio = log_probs - old_log_probs
        ratio = log_ratio.exp()
        surrogate = advantages * ratio
        clipped = advantages * ratio.clamp(1 - objective.clip_range, 1 + objective.clip_range)
        change = batch.trunk.values - old_values
        error = old_values + change.clamp(-objective.clip_range_vf, objective.clip_range_vf) - returns
        is_free = change.abs() <= objective.clip_range_vf
        torch.mul(error, is_free, out=batch.trunk.d_values).mul_(2 * objective.vf_coef / error.numel())
        each = torch.empty_like(figures)[:, None].repeat(1, error.numel())
        each[Figure.POLICY_LOSS] = -torch.minimum(surrogate, clipped)
        each[Figure.VALUE_LOSS] = error.square()
        each[Figure.ENTROPY_LOSS] = -entropies
        each[Figure.CLIP_FRACTION] = (ratio - 1).abs() > objective.clip_range
        each[Figure.APPROX_KL] = (ratio - 1) - log_ratio
        torch.mean(each, 1, out=figures)
        # if the clipped value is the smaller one, it is constant
        return surrogate * (surrogate <= clipped) * (-1 / error.numel())

    def _batch(self, size: int) -> Batch:
        """The arrays for a minibatch of this size; the last one of an epoch may be smaller than the others."""
        if size not in self._batches:
            self._batches[size] = Batch(self._architecture, self._flat, size, self._samples.width)
        return self._batches[size]
