"""PPO's update on one rollout, minibatch by minibatch, without autograd, on the CPU."""

import numpy as np
import torch
from numpy.typing import NDArray
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from torch import nn

from rlsweep.training.fast.adam import AdamSchedule, FlatParameters, state_of
from rlsweep.training.fast.compiled import Floats
from rlsweep.training.fast.gradients import differentiate
from rlsweep.training.fast.networks import Architecture, Trunk
from rlsweep.training.fast.objective import Figure, Objective
from rlsweep.training.fast.optimizer_step import clipped_adam_step
from rlsweep.training.fast.rollout import LegalActions, LegalRolloutBuffer
from rlsweep.training.fast.samples import Samples


class Batch:
    """All arrays and layers for a minibatch of B samples."""

    def __init__(self, architecture: Architecture, flat: FlatParameters, size: int, features: int) -> None:
        self.trunk = Trunk(architecture, flat.layer, flat.weights.new_empty(size, features))
        self.latent, self.d_latent = self.trunk.latent.numpy(), self.trunk.d_latent.numpy()
        self.values, self.d_values = self.trunk.values.numpy(), self.trunk.d_values.numpy()
        self.transitions = flat.weights.new_empty(4, size)


class ActionHead:
    """The policy's action head and its moments, changed in place, with arrays for the gradients of legal rows.

    tensors: weight (A, H), its moments, bias (A, 1), its moments
    is_moving (A,): rows with nonzero moments
    scratch: legal, offsets, log_p and slots; gradients: rows, d_weight and d_bias, as in `differentiate`
    """

    def __init__(
        self, action: nn.Linear, optimizer: torch.optim.Optimizer, legal: LegalActions, batch_size: int
    ) -> None:
        actions, width = action.weight.shape
        tensors: list[Floats] = []
        self.is_moving = np.zeros(actions, np.bool_)
        for parameter in (action.weight, action.bias):
            state = state_of(optimizer, parameter)
            weight, *moments = (
                tensor.numpy().reshape(actions, -1)
                for tensor in (parameter.detach(), state["exp_avg"], state["exp_avg_sq"])
            )
            tensors += [weight, *moments]
            for moment in moments:
                self.is_moving |= moment.any(1)
        weight, first, second, bias, bias_first, bias_second = tensors
        self.tensors = weight, first, second, bias, bias_first, bias_second
        self.weight, self.bias, dtype = weight, bias, weight.dtype
        entries = legal.most(batch_size)
        rows = min(entries, actions)
        self.scratch = (
            np.empty(entries, np.int32),
            np.empty(batch_size + 1, np.int32),
            np.empty(entries, dtype),
            np.empty(actions, np.int32),
        )
        self.gradients = (np.empty(rows, np.int32), np.empty((rows, width), dtype), np.empty((rows, 1), dtype))


class LegalRowsUpdate:
    """Trains a policy's networks; only legal rows of the action head are computed.

    `close` writes the results to the policy and its optimizer.
    """

    def __init__(
        self,
        policy: MaskableActorCriticPolicy,
        buffer: LegalRolloutBuffer,
        objective: Objective,
        *,
        batch_size: int,
    ) -> None:
        self._architecture = Architecture.of(policy)
        self._adam = AdamSchedule(policy.optimizer)
        self._flat = FlatParameters(policy.optimizer, self._architecture.in_order())
        self._vectors = (
            self._flat.weights.numpy(),
            self._flat.gradients.numpy(),
            self._flat.first.numpy(),
            self._flat.second.numpy(),
        )
        self._head = ActionHead(self._architecture.action, policy.optimizer, buffer.legal, batch_size)
        dtype = self._head.weight.dtype
        self._settings = np.array(objective.settings, dtype)
        self._max_grad_norm = dtype.type(objective.max_grad_norm)
        self._samples = Samples(policy, buffer, like=self._flat.weights)
        self._figures = np.zeros((self._samples.minibatches(batch_size), len(Figure)))
        self._batches: dict[int, Batch] = {}
        self._last: tuple[Batch, int] | None = None

    def evaluate(self, chosen: NDArray[np.int64], number: int) -> None:
        """Compute a minibatch's diagnostics, and the derivatives of its loss by the networks' outputs.

        chosen (B,): samples, numbered as in SB3; number: index of the minibatch in its epoch
        """
        batch, head, samples = self._batch(chosen.size), self._head, self._samples
        samples.copy(chosen, batch.trunk.features, batch.transitions)
        batch.trunk.forward()
        rows = differentiate(
            batch.latent,
            batch.values,
            head.weight,
            head.bias,
            samples.legal.actions,
            samples.legal.starts,
            samples.places(chosen),
            samples.actions[chosen],
            batch.transitions.numpy(),
            self._settings,
            *head.scratch,
            *head.gradients,
            batch.d_latent,
            batch.d_values,
            self._figures[number],
        )
        self._last = batch, rows

    def step(self) -> None:
        """Take an optimizer step on the minibatch that was evaluated last."""
        assert self._last is not None
        batch, rows = self._last
        batch.trunk.backward()
        places, d_weight, d_bias = self._head.gradients
        clipped_adam_step(
            *self._vectors,
            *self._head.tensors,
            self._head.is_moving,
            places,
            rows,
            d_weight,
            d_bias,
            self._max_grad_norm,
            self._adam.coefficients(self._settings.dtype),
        )

    def figures(self, minibatches: int) -> NDArray[np.float64]:
        """Diagnostics of the first minibatches of the epoch, (minibatches, 5), in the order of `Figure`."""
        return self._figures[:minibatches].copy()

    def close(self) -> None:
        """Write weights, moments and the number of steps to the policy and its optimizer."""
        self._flat.store()
        self._adam.store()

    def _batch(self, size: int) -> Batch:
        """The arrays for a minibatch of this size; the last one of an epoch may be smaller than the others."""
        if size not in self._batches:
            self._batches[size] = Batch(self._architecture, self._flat, size, self._samples.width)
        return self._batches[size]
