"""Choose actions: one forward pass of both towers per step, always on the CPU.

A pass on a few rows is too small for a GPU: launching kernels and waiting for them would take longer.
"""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor

from rlsweep.training.fast.heads import Distribution
from rlsweep.training.fast.networks import Architecture, Trunk, copied_layer, features_of, is_plain
from rlsweep.training.fast.rollout import FastRolloutBuffer


class NotANumberError(ValueError):
    """The policy's output is NaN or infinite; a ValueError, as torch's distributions raise in the stock policy."""


class Actor:
    """Chooses actions in n environments with a copy of the policy."""

    def __init__(self, policy: ActorCriticPolicy, distribution: Distribution, buffer: FastRolloutBuffer) -> None:
        """Draw the random numbers for the whole buffer at once, from torch's generator."""
        architecture = Architecture.of(policy)
        self._policy = policy
        self._is_plain = is_plain(policy)
        self._trunk = Trunk(
            architecture,
            copied_layer,
            torch.empty(buffer.n_envs, policy.features_dim, dtype=architecture.action.weight.dtype),
        )
        self._features = self._trunk.features.numpy()
        self._latent = self._trunk.latent.numpy()
        self._sampler = distribution.sampler(policy, buffer)

    def act(self, observations: NDArray[np.generic]) -> tuple[NDArray[Any], Tensor, Tensor]:
        """Return actions (n, …), values (n, 1) and log-probabilities (n,), as the stock policy does.

        observations (n, …); the last n legal actions of the buffer, if it has any, belong to these environments

        Raises NotANumberError if the policy's output is NaN or infinite.
        """
        if self._is_plain:
            self._features[:] = observations.reshape(self._features.shape)
        else:
            self._features[:] = features_of(self._policy, observations).cpu().numpy()
        self._trunk.forward()
        actions, log_probs = self._sampler.sample(self._latent)
        if not math.isfinite(sum(log_probs.tolist())):
            raise NotANumberError("the policy's outputs are NaN or infinite")
        return actions, self._trunk.values.clone()[:, None], torch.from_numpy(log_probs)
