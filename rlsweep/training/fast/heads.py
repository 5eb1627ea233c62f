"""What the engine needs of an action distribution. Each distribution is one file: categorical.py, gaussian.py."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor

from rlsweep.training.fast.adam import FlatParameters
from rlsweep.training.fast.compiled import Floats
from rlsweep.training.fast.rollout import FastRolloutBuffer
from rlsweep.training.fast.samples import Samples


class Sampler(Protocol):
    """Draws the actions of one rollout, with a copy of the policy's last layer."""

    def __init__(self, policy: ActorCriticPolicy, buffer: FastRolloutBuffer) -> None:
        """Draw the random numbers for all steps of the buffer at once, from torch's generator."""

    def sample(self, latent: Floats) -> tuple[NDArray[Any], Floats]:
        """Actions (n, …), as the stock policy returns them, and log-probabilities (n,) for latents (n, H)."""


@dataclass(frozen=True, slots=True)
class Minibatch:
    """What the towers put out for B samples, and where their gradients go.

    latent, d_latent (B, H); values, d_values (B,)
    transitions (4, B): old values, old log-probabilities, advantages, returns
    """

    latent: Floats
    d_latent: Floats
    values: Floats
    d_values: Floats
    transitions: Floats


Vectors = tuple[Floats, Floats, Floats, Floats]
"""Weights, gradients, and Adam's first and second moments (n,), as `FlatParameters` has them."""


class Head(Protocol):
    """The policy's last layer during one update on the CPU.

    flat: the parameters of the towers and the value layer, and those of its own that it does not keep elsewhere
    """

    flat: FlatParameters

    def __init__(self, policy: ActorCriticPolicy, samples: Samples) -> None: ...

    def differentiate(
        self, minibatch: Minibatch, chosen: NDArray[np.int64], settings: Floats, figures: NDArray[np.float64]
    ) -> None:
        """Compute the loss's gradients by its own parameters, the latents and the values, and the diagnostics.

        chosen (B,): the samples, numbered as in SB3; settings, figures (5,): as in `loss.ppo_loss`
        """

    def step(self, vectors: Vectors, max_grad_norm: "np.floating[Any]", adam: Floats) -> None:
        """Clip the norm of all gradients together, and take a step of Adam on all parameters.

        adam: the step's `AdamSchedule.coefficients`
        """


class DenseHead(Protocol):
    """The policy's last layer during one update on any device, with torch.

    flat: the parameters of the whole policy
    """

    flat: FlatParameters

    def __init__(self, policy: ActorCriticPolicy, samples: Samples) -> None: ...

    def evaluate(self, outputs: Tensor, chosen: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Log-probabilities of the taken actions and entropies, both (B,), from the linear layer's outputs (B, A)."""

    def backpropagate(self, d_log_probs: Tensor, d_entropy: float, d_outputs: Tensor) -> None:
        """Write the gradients by the outputs (B, A), and by parameters beside the linear layer."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """An action distribution: its parts for the rollout, for updates on the CPU, and for those on other devices."""

    buffer: type[FastRolloutBuffer]
    sampler: type[Sampler]
    head: type[Head]
    dense_head: type[DenseHead]
