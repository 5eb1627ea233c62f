"""PPO's update on one rollout, minibatch by minibatch, without autograd, on the CPU."""

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.policies import ActorCriticPolicy

from rlsweep.training.fast.adam import AdamSchedule, FlatParameters
from rlsweep.training.fast.heads import Distribution, Minibatch
from rlsweep.training.fast.networks import Architecture, Trunk
from rlsweep.training.fast.objective import Figure, Objective
from rlsweep.training.fast.rollout import FastRolloutBuffer
from rlsweep.training.fast.samples import Samples


class Batch:
    """All arrays and layers for a minibatch of B samples."""

    def __init__(self, architecture: Architecture, flat: FlatParameters, size: int, features: int) -> None:
        self.trunk = Trunk(architecture, flat.layer, flat.weights.new_empty(size, features))
        self.transitions = flat.weights.new_empty(4, size)
        self.minibatch = Minibatch(
            latent=self.trunk.latent.numpy(),
            d_latent=self.trunk.d_latent.numpy(),
            values=self.trunk.values.numpy(),
            d_values=self.trunk.d_values.numpy(),
            transitions=self.transitions.numpy(),
        )


class CompiledUpdate:
    """Trains a policy's networks: matrix products by torch, everything else in compiled loops.

    `close` writes the results to the policy and its optimizer.
    """

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
        self._adam = AdamSchedule(policy.optimizer)
        self._samples = Samples(policy, buffer, batch_size)
        self._head = distribution.head(policy, self._samples)
        self._flat = self._head.flat
        self._vectors = (
            self._flat.weights.numpy(),
            self._flat.gradients.numpy(),
            self._flat.first.numpy(),
            self._flat.second.numpy(),
        )
        dtype = self._vectors[0].dtype
        self._settings = np.array(objective.settings, dtype)
        self._max_grad_norm = dtype.type(objective.max_grad_norm)
        self._figures = np.zeros((self._samples.minibatches, len(Figure)))
        self._batches: dict[int, Batch] = {}
        self._last: Batch | None = None

    def evaluate(self, chosen: NDArray[np.int64], number: int) -> None:
        """Compute a minibatch's diagnostics, and the derivatives of its loss by the networks' outputs.

        chosen (B,): samples, numbered as in SB3; number: index of the minibatch in its epoch
        """
        batch = self._last = self._batch(chosen.size)
        self._samples.copy(chosen, batch.trunk.features, batch.transitions)
        batch.trunk.forward()
        self._head.differentiate(batch.minibatch, chosen, self._settings, self._figures[number])

    def step(self) -> None:
        """Take an optimizer step on the minibatch that was evaluated last."""
        assert self._last is not None
        self._last.trunk.backward()
        self._head.step(self._vectors, self._max_grad_norm, self._adam.coefficients(self._settings.dtype))

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
