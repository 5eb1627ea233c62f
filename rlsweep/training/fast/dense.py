"""PPO's update on a GPU, with torch, as in stock, but without autograd.

Nothing waits for the device within an epoch, unless `target_kl` is set.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor

from rlsweep.training.fast.adam import AdamSchedule, FlatParameters
from rlsweep.training.fast.heads import Distribution
from rlsweep.training.fast.networks import Architecture, Trunk
from rlsweep.training.fast.objective import Figure, Objective
from rlsweep.training.fast.rollout import FastRolloutBuffer
from rlsweep.training.fast.samples import Samples
from rlsweep.training.fast.towers import Pass


class Batch:
    """All arrays and layers for a minibatch of B samples."""

    def __init__(self, architecture: Architecture, flat: FlatParameters, size: int, features: int) -> None:
        self.trunk = Trunk(architecture, flat.layer, flat.weights.new_empty(size, features))
        self._head = Pass(
            [flat.layer([architecture.action], None)], self.trunk.latent[None], d_inputs=self.trunk.d_latent[None]
        )
        self.outputs, self.d_outputs = self._head.outputs[0], self._head.d_outputs[0]
        self.transitions = flat.weights.new_empty(4, size)

    def forward(self) -> None:
        """Compute values and the outputs of the head."""
        self.trunk.forward()
        self._head.forward()

    def backward(self) -> None:
        """Compute all gradients."""
        self._head.backward()
        self.trunk.backward()


class DenseUpdate:
    """Does the same as `CompiledUpdate`, only with torch, on any device."""

    def __init__(
        self,
        policy: ActorCriticPolicy,
        distribution: Distribution,
        buffer: FastRolloutBuffer,
        objective: Objective,
        *,
        batch_size: int,
    ) -> None:
        self._architecture = Architecture.of(policy)
        self._samples = Samples(policy, buffer, batch_size)
        self._head = distribution.dense_head(policy, self._samples)
        self._flat = self._head.flat
        self._schedule = AdamSchedule(policy.optimizer)
        self._adam = self._schedule.fused(self._flat)
        self._objective = objective
        self._figures = self._flat.weights.new_zeros(self._samples.minibatches, len(Figure))
        self._batches: dict[int, Batch] = {}
        self._last: Batch | None = None

    def evaluate(self, chosen: NDArray[np.int64], number: int) -> None:
        """Compute a minibatch's diagnostics, and the derivatives of its loss by the networks' outputs.

        chosen (B,): samples, numbered as in SB3; number: index of the minibatch in its epoch
        """
        batch = self._last = self._batch(chosen.size)
        self._samples.copy(chosen, batch.trunk.features, batch.transitions)
        batch.forward()
        log_probs, entropies = self._head.evaluate(batch.outputs, chosen)
        d_log_probs = self._differentiate(batch, log_probs, entropies, self._figures[number])
        self._head.backpropagate(d_log_probs, -self._objective.ent_coef / chosen.size, batch.d_outputs)

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
        """Like `loss.ppo_loss`: return the derivatives by log-probability (B,); write the others."""
        objective = self._objective
        old_values, old_log_probs, advantages, returns = batch.transitions.unbind()
        if 0 < objective.normalize_from <= advantages.numel():
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
