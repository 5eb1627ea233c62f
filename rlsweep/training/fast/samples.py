"""A full rollout, arranged for drawing minibatches."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from torch import Tensor

from rlsweep.training.fast.networks import features_of, is_plain
from rlsweep.training.fast.rollout import LegalRolloutBuffer


class Samples:
    """N samples, numbered as in SB3: the steps of the first environment, of the second, and so on.

    actions: the taken actions, int64 (N,)
    legal: the rollout's legal actions; `places` converts sample numbers to positions in it
    """

    def __init__(self, policy: MaskableActorCriticPolicy, buffer: LegalRolloutBuffer, *, like: Tensor) -> None:
        """like: a tensor with the dtype and device of the minibatches."""
        observations = _in_order(buffer.observations).reshape(-1, *(policy.observation_space.shape or ()))
        if is_plain(policy):
            features = torch.from_numpy(observations.reshape(len(observations), -1))
        else:
            features = features_of(policy, observations)
        self._features = features.to(like)
        columns = (buffer.values, buffer.log_probs, buffer.advantages, buffer.returns)
        self._transitions = torch.from_numpy(np.stack([_in_order(column)[:, 0] for column in columns])).to(like)
        self.actions = _in_order(buffer.actions)[:, 0].astype(np.int64)
        self.legal = buffer.legal
        self._shape = buffer.buffer_size, buffer.n_envs

    @property
    def width(self) -> int:
        """Number of features."""
        return self._features.shape[1]

    def minibatches(self, batch_size: int) -> int:
        """Number of minibatches per epoch; the last may be smaller than the others."""
        return -(-self.actions.size // batch_size)

    def copy(self, chosen: NDArray[np.int64], features: Tensor, transitions: Tensor) -> None:
        """Write the features (B, F) and the transitions (4, B) of chosen samples (B,).

        Transitions are old values, old log-probabilities, advantages and returns.
        """
        indices = torch.from_numpy(chosen).to(features.device)
        torch.index_select(self._features, 0, indices, out=features)
        torch.index_select(self._transitions, 1, indices, out=transitions)

    def places(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Positions of chosen samples in `legal`, which is ordered by step, then by environment."""
        steps, environments = self._shape
        return chosen % steps * environments + chosen // steps

    def legal_mask(self, chosen: NDArray[np.int64], logits: Tensor) -> Tensor:
        """Which actions are legal, bool, with the shape (B, A) and on the device of their logits."""
        places = self.places(chosen)
        begins, ends = self.legal.starts[places], self.legal.starts[places + 1]
        rows = np.repeat(np.arange(chosen.size), ends - begins)
        columns = np.concatenate([self.legal.actions[begin:end] for begin, end in zip(begins, ends, strict=True)])
        mask = torch.zeros(logits.shape, dtype=torch.bool, device=logits.device)
        mask[torch.from_numpy(rows).to(mask.device), torch.from_numpy(columns).to(mask.device)] = True
        return mask


def _in_order(column: NDArray[Any]) -> NDArray[Any]:
    """Reshape a buffer's (steps, envs, …) to (N, at least 1), like SB3's `swap_and_flatten`."""
    steps, environments, *shape = column.shape
    return column.swapaxes(0, 1).reshape(steps * environments, *(shape or [1]))
