"""A full rollout, arranged for drawing minibatches."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor

from rlsweep.training.fast.networks import features_of, is_plain
from rlsweep.training.fast.rollout import FastRolloutBuffer


class Samples:
    """N samples, numbered as in SB3: the steps of the first environment, of the second, and so on.

    actions: the taken actions as the buffer has them, (N, numbers of an action)
    buffer: where they come from; `places` converts sample numbers to the order of its steps
    batch_size: samples of a minibatch
    """

    def __init__(self, policy: ActorCriticPolicy, buffer: FastRolloutBuffer, batch_size: int) -> None:
        """Arrange a rollout of the policy, in the dtype and on the device of its parameters."""
        like = policy.value_net.weight
        observations = _in_order(buffer.observations).reshape(-1, *(policy.observation_space.shape or ()))
        if is_plain(policy):
            features = torch.from_numpy(observations.reshape(len(observations), -1))
        else:
            features = features_of(policy, observations)
        self._features = features.to(like)
        columns = (buffer.values, buffer.log_probs, buffer.advantages, buffer.returns)
        self._transitions = torch.from_numpy(np.stack([_in_order(column)[:, 0] for column in columns])).to(like)
        self.actions = _in_order(buffer.actions)
        self.buffer = buffer
        self.batch_size = batch_size
        self._shape = buffer.buffer_size, buffer.n_envs

    @property
    def width(self) -> int:
        """Number of features."""
        return self._features.shape[1]

    @property
    def minibatches(self) -> int:
        """Number of minibatches per epoch; the last may be smaller than the others."""
        return -(-len(self.actions) // self.batch_size)

    def copy(self, chosen: NDArray[np.int64], features: Tensor, transitions: Tensor) -> None:
        """Write the features (B, F) and the transitions (4, B) of chosen samples (B,).

        Transitions are old values, old log-probabilities, advantages and returns.
        """
        indices = torch.from_numpy(chosen).to(features.device)
        torch.index_select(self._features, 0, indices, out=features)
        torch.index_select(self._transitions, 1, indices, out=transitions)

    def places(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Positions of chosen samples in the order of collection: by step, then by environment."""
        steps, environments = self._shape
        return chosen % steps * environments + chosen // steps


def _in_order(column: NDArray[Any]) -> NDArray[Any]:
    """Reshape a buffer's (steps, envs, …) to (N, at least 1), like SB3's `swap_and_flatten`."""
    steps, environments, *shape = column.shape
    return column.swapaxes(0, 1).reshape(steps * environments, *(shape or [1]))
