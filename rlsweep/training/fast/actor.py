"""Choose actions: one forward pass of both towers per step, always on the CPU.

A pass on a few rows is too small for a GPU: launching kernels and waiting for them would take longer.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from torch import Tensor

from rlsweep.training.fast.networks import Architecture, Trunk, copied_layer, features_of, is_plain
from rlsweep.training.fast.rollout import LegalActions
from rlsweep.training.fast.sampling import sample_actions


class NotANumberError(ValueError):
    """The policy's output is NaN or infinite; a ValueError, as torch's distributions raise in the stock policy."""


class Actor:
    """Chooses actions in n environments with a copy of the policy."""

    def __init__(self, policy: MaskableActorCriticPolicy, environments: int, steps: int) -> None:
        """Draw the random numbers for all `steps` at once, from torch's generator."""
        architecture = Architecture.of(policy)
        self._policy = policy
        self._is_plain = is_plain(policy)
        self._weight = architecture.action.weight.detach().cpu().numpy()
        self._bias = architecture.action.bias.detach().cpu().numpy()
        self._trunk = Trunk(
            architecture,
            copied_layer,
            torch.empty(environments, policy.features_dim, dtype=architecture.action.weight.dtype),
        )
        self._features = self._trunk.features.numpy()
        self._latent = self._trunk.latent.numpy()
        self._uniforms = torch.rand(steps, environments, dtype=torch.float64).numpy()
        self._step = 0
        self._actions = np.empty(environments, np.int64)
        self._log_probs = np.empty(environments, self._weight.dtype)

    def act(self, observations: NDArray[np.generic], legal: LegalActions) -> tuple[NDArray[np.int64], Tensor, Tensor]:
        """Return actions (n,), values (n, 1) and log-probabilities (n,), as the stock policy does.

        observations (n, …); legal: its last n samples belong to these environments

        Raises NotANumberError if the policy's output is NaN or infinite.
        """
        if self._is_plain:
            self._features[:] = observations.reshape(self._features.shape)
        else:
            self._features[:] = features_of(self._policy, observations).cpu().numpy()
        self._trunk.forward()
        sample_actions(
            self._latent,
            self._weight,
            self._bias,
            legal.actions,
            legal.last(self._actions.size),
            self._uniforms[self._step],
            self._actions,
            self._log_probs,
        )
        self._step += 1
        if not math.isfinite(sum(self._log_probs.tolist())):
            raise NotANumberError("the policy's outputs are NaN or infinite")
        return self._actions.copy(), self._trunk.values.clone()[:, None], torch.from_numpy(self._log_probs.copy())
