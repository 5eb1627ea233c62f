"""Continuous actions (Box): a Gaussian with diagonal covariance, whose standard deviation does not see the state.

As SB3's `DiagGaussianDistribution`: a linear layer gives the means, `policy.log_std` the deviations' logarithms.
With z = (a - mean) / std: log p = -sum(z² / 2 + log std + log(2 pi) / 2), and H = sum(1/2 + log(2 pi) / 2 + log std).
A is the number of numbers in an action.
"""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor

from rlsweep.training.fast.adam import FlatParameters
from rlsweep.training.fast.compiled import Floats, add_scaled, compiled, dot
from rlsweep.training.fast.heads import Distribution, Minibatch, Vectors
from rlsweep.training.fast.loss import ppo_loss
from rlsweep.training.fast.networks import Architecture
from rlsweep.training.fast.optimizer_step import clipped_adam_flat
from rlsweep.training.fast.rollout import FastRolloutBuffer
from rlsweep.training.fast.samples import Samples

HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


@compiled
def sample_gaussian(
    latent: Floats,
    weight: Floats,
    bias: Floats,
    log_std: Floats,
    noise: Floats,
    actions: Floats,
    log_probs: Floats,
) -> None:
    """Draw an action per sample.

    latent (B, H), weight (A, H), bias and log_std (A,), noise (B, A): standard normal
    Written: actions (B, A), not clipped to the space; log_probs (B,)
    """
    for sample in range(latent.shape[0]):
        log_prob = latent.dtype.type(0)
        for number in range(bias.size):
            z = noise[sample, number]
            mean = bias[number] + dot(latent[sample], weight[number])
            actions[sample, number] = mean + np.exp(log_std[number]) * z
            log_prob -= latent.dtype.type(0.5) * z * z + log_std[number] + latent.dtype.type(HALF_LOG_2_PI)
        log_probs[sample] = log_prob


@compiled
def differentiate_gaussian(
    latent: Floats,
    values: Floats,
    weight: Floats,
    bias: Floats,
    log_std: Floats,
    taken: Floats,
    transitions: Floats,
    settings: Floats,
    d_weight: Floats,
    d_bias: Floats,
    d_log_std: Floats,
    d_latent: Floats,
    d_values: Floats,
    figures: NDArray[np.float64],
) -> None:
    """The objective of B samples from the towers' outputs, and its derivatives by them and the last layer.

    d log p / d mean = z / std, d log p / d log std = z² - 1, and dH / d log std = 1.

    latent (B, H), values (B,): of the towers; weight (A, H), bias and log_std (A,): the last layer
    taken (B, A): the actions, not clipped; transitions (4, B), settings: as `ppo_loss`
    Written: d_weight (A, H), d_bias and d_log_std (A,), d_latent (B, H), d_values (B,), figures (5,)
    """
    size, numbers = taken.shape
    zero, half, one = latent.dtype.type(0), latent.dtype.type(0.5), latent.dtype.type(1)
    entropy = zero
    for number in range(numbers):
        entropy += half + latent.dtype.type(HALF_LOG_2_PI) + log_std[number]
    log_probs, entropies, d_log_probs = np.empty_like(values), np.empty_like(values), np.empty_like(values)
    z = np.empty_like(taken)
    for sample in range(size):
        log_prob = zero
        for number in range(numbers):
            mean = bias[number] + dot(latent[sample], weight[number])
            z[sample, number] = (taken[sample, number] - mean) * np.exp(-log_std[number])
            log_prob -= half * z[sample, number] ** 2 + log_std[number] + latent.dtype.type(HALF_LOG_2_PI)
        log_probs[sample] = log_prob
        entropies[sample] = entropy
    ppo_loss(log_probs, entropies, values, transitions, settings, d_log_probs, d_values, figures)
    d_weight[:] = 0
    d_bias[:] = 0
    d_log_std[:] = -settings[3]  # each of B samples has the entropy with weight -ent_coef / B
    for sample in range(size):
        d_latent[sample] = 0
        for number in range(numbers):
            d_mean = d_log_probs[sample] * z[sample, number] * np.exp(-log_std[number])
            add_scaled(d_latent[sample], d_mean, weight[number])
            add_scaled(d_weight[number], d_mean, latent[sample])
            d_bias[number] += d_mean
            d_log_std[number] += d_log_probs[sample] * (z[sample, number] ** 2 - one)


class GaussianSampler:
    """Draws continuous actions; see `heads.Sampler`."""

    def __init__(self, policy: ActorCriticPolicy, buffer: FastRolloutBuffer) -> None:
        weight, bias, log_std = _parameters(policy)
        self._weight, self._bias = weight.detach().cpu().numpy(), bias.detach().cpu().numpy()
        self._log_std = log_std.detach().cpu().numpy()
        shape = buffer.buffer_size, buffer.n_envs, self._bias.size
        self._noise = torch.randn(shape, dtype=log_std.dtype).numpy()
        self._actions = buffer.n_envs, *(policy.action_space.shape or ())
        self._step = 0

    def sample(self, latent: Floats) -> tuple[Floats, Floats]:
        """Actions (n, *shape of the space), not clipped, and log-probabilities (n,)."""
        noise = self._noise[self._step]
        actions, log_probs = np.empty_like(noise), np.empty(len(noise), noise.dtype)
        sample_gaussian(latent, self._weight, self._bias, self._log_std, noise, actions, log_probs)
        self._step += 1
        return actions.reshape(self._actions), log_probs


class GaussianHead:
    """The last layer on the CPU, whose parameters are all in the flat vectors; see `heads.Head`."""

    def __init__(self, policy: ActorCriticPolicy, samples: Samples) -> None:
        own = _parameters(policy)
        self.flat = FlatParameters(policy.optimizer, [*Architecture.of(policy).in_order(), *own])
        self._weight, self._bias, self._log_std = (self.flat.views(parameter)[0].numpy() for parameter in own)
        self._d_weight, self._d_bias, self._d_log_std = (self.flat.views(parameter)[1].numpy() for parameter in own)
        self._taken = samples.actions.astype(self._weight.dtype)

    def differentiate(
        self, minibatch: Minibatch, chosen: NDArray[np.int64], settings: Floats, figures: NDArray[np.float64]
    ) -> None:
        """Gradients by means and deviations, the latents and the values."""
        differentiate_gaussian(
            minibatch.latent,
            minibatch.values,
            self._weight,
            self._bias,
            self._log_std,
            self._taken[chosen],
            minibatch.transitions,
            settings,
            self._d_weight,
            self._d_bias,
            self._d_log_std,
            minibatch.d_latent,
            minibatch.d_values,
            figures,
        )

    def step(self, vectors: Vectors, max_grad_norm: "np.floating[Any]", adam: Floats) -> None:
        """A step on all parameters."""
        clipped_adam_flat(*vectors, max_grad_norm, adam)


class DenseGaussianHead:
    """The last layer on any device; see `heads.DenseHead`."""

    def __init__(self, policy: ActorCriticPolicy, samples: Samples) -> None:
        own = _parameters(policy)
        self.flat = FlatParameters(policy.optimizer, [*Architecture.of(policy).in_order(), *own])
        self._log_std, self._d_log_std = self.flat.views(own[2])
        self._taken = torch.from_numpy(samples.actions).to(self.flat.weights)

    def evaluate(self, outputs: Tensor, chosen: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """As in `differentiate_gaussian`."""
        taken = self._taken[torch.from_numpy(chosen).to(outputs.device)]
        self._z = (taken - outputs) * torch.exp(-self._log_std)
        log_probs = -(0.5 * self._z.square() + self._log_std + HALF_LOG_2_PI).sum(1)
        return log_probs, (0.5 + HALF_LOG_2_PI + self._log_std).sum().expand(len(outputs))

    def backpropagate(self, d_log_probs: Tensor, d_entropy: float, d_outputs: Tensor) -> None:
        """As in `differentiate_gaussian`."""
        torch.mul(d_log_probs[:, None] * self._z, torch.exp(-self._log_std), out=d_outputs)
        each = d_log_probs[:, None] * (self._z.square() - 1) + d_entropy
        torch.sum(each, 0, out=self._d_log_std)


def _parameters(policy: ActorCriticPolicy) -> tuple[Tensor, Tensor, Tensor]:
    """Weight and bias of the linear layer, and the logarithms of the standard deviations."""
    action = Architecture.of(policy).action
    return action.weight, action.bias, policy.log_std


GAUSSIAN = Distribution(FastRolloutBuffer, GaussianSampler, GaussianHead, DenseGaussianHead)
