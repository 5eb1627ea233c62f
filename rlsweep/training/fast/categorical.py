"""Categorical actions with masks: Discrete, MultiDiscrete and MultiBinary. Only legal rows of the head are computed."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor

from rlsweep.training.fast.adam import FlatParameters, state_of
from rlsweep.training.fast.categorical_loops import differentiate, sample_actions
from rlsweep.training.fast.compiled import Floats
from rlsweep.training.fast.heads import Distribution, Minibatch, Vectors
from rlsweep.training.fast.networks import Architecture
from rlsweep.training.fast.optimizer_step import clipped_adam_step
from rlsweep.training.fast.rollout import FastRolloutBuffer, LegalActions, LegalRolloutBuffer, part_sizes
from rlsweep.training.fast.samples import Samples


class CategoricalSampler:
    """Draws legal actions; see `heads.Sampler`."""

    def __init__(self, policy: ActorCriticPolicy, buffer: FastRolloutBuffer) -> None:
        action = Architecture.of(policy).action
        self._weight, self._bias = action.weight.detach().cpu().numpy(), action.bias.detach().cpu().numpy()
        self._begins = _begins(policy)
        self._legal = _legal(buffer)
        shape = buffer.buffer_size, buffer.n_envs, self._begins.size
        self._uniforms = torch.rand(shape, dtype=torch.float64).numpy()
        self._step = 0
        self._rows = np.empty(shape[1:], np.int64)
        self._log_probs = np.empty(buffer.n_envs, self._weight.dtype)

    def sample(self, latent: Floats) -> tuple[NDArray[np.int64], Floats]:
        """Actions (n,) of one part, else (n, K); the last n samples of the buffer's legal actions belong to them."""
        starts = self._legal.last(len(self._rows))
        uniforms = self._uniforms[self._step]
        sample_actions(
            latent, self._weight, self._bias, self._legal.actions, starts, uniforms, self._rows, self._log_probs
        )
        self._step += 1
        actions = self._rows[:, 0].copy() if self._begins.size == 1 else self._rows - self._begins
        return actions, self._log_probs.copy()


class LegalRowsHead:
    """A head whose legal rows alone are computed, on the CPU; see `heads.Head`. It changes the policy in place."""

    def __init__(self, policy: ActorCriticPolicy, samples: Samples) -> None:
        architecture = Architecture.of(policy)
        self.flat = FlatParameters(policy.optimizer, architecture.in_order())
        action = architecture.action
        rows, width = action.weight.shape
        tensors: list[Floats] = []
        self._is_moving = np.zeros(rows, np.bool_)
        for parameter in (action.weight, action.bias):
            state = state_of(policy.optimizer, parameter)
            weight, *moments = (
                tensor.numpy().reshape(rows, -1)
                for tensor in (parameter.detach(), state["exp_avg"], state["exp_avg_sq"])
            )
            tensors += [weight, *moments]
            for moment in moments:
                self._is_moving |= moment.any(1)
        weight, first, second, bias, bias_first, bias_second = tensors
        self._tensors = weight, first, second, bias, bias_first, bias_second
        self._samples, self._legal = samples, _legal(samples.buffer)
        self._taken = _rows_taken(policy, samples)
        dtype, entries = weight.dtype, self._legal.most(samples.batch_size)
        used = min(entries, rows)
        self._scratch = (
            np.empty(entries, np.int32),
            np.empty(samples.batch_size * self._taken.shape[1] + 1, np.int32),
            np.empty(entries, dtype),
            np.empty(rows, np.int32),
        )
        self._gradients = np.empty(used, np.int32), np.empty((used, width), dtype), np.empty((used, 1), dtype)
        self._used = 0

    def differentiate(
        self, minibatch: Minibatch, chosen: NDArray[np.int64], settings: Floats, figures: NDArray[np.float64]
    ) -> None:
        """Gradients by the legal rows, the latents and the values."""
        weight, _, _, bias, _, _ = self._tensors
        self._used = differentiate(
            minibatch.latent,
            minibatch.values,
            weight,
            bias,
            self._legal.actions,
            self._legal.starts,
            self._samples.places(chosen),
            self._taken[chosen],
            minibatch.transitions,
            settings,
            *self._scratch,
            *self._gradients,
            minibatch.d_latent,
            minibatch.d_values,
            figures,
        )

    def step(self, vectors: Vectors, max_grad_norm: "np.floating[Any]", adam: Floats) -> None:
        """A step on everything else and on the rows that have a gradient or a moment."""
        rows, d_weight, d_bias = self._gradients
        clipped_adam_step(
            *vectors, *self._tensors, self._is_moving, rows, self._used, d_weight, d_bias, max_grad_norm, adam
        )


class DenseCategoricalHead:
    """All logits, masked, as in stock; see `heads.DenseHead`.

    For a GPU, computing 36,000 logits is cheaper than selecting the legal ones.
    """

    def __init__(self, policy: ActorCriticPolicy, samples: Samples) -> None:
        architecture = Architecture.of(policy)
        action = architecture.action
        self.flat = FlatParameters(policy.optimizer, [*architecture.in_order(), action.weight, action.bias])
        self._samples, self._legal = samples, _legal(samples.buffer)
        self._sizes = list(part_sizes(policy.action_space))
        self._taken = torch.from_numpy(_rows_taken(policy, samples)).to(self.flat.weights.device)
        self._entropies: list[Tensor] = []

    def evaluate(self, outputs: Tensor, chosen: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """As in `categorical_loops._evaluate_actions`."""
        self._is_legal = self._legal_mask(chosen, outputs)
        self._rows = self._taken[torch.from_numpy(chosen).to(outputs.device)]
        masked = outputs.masked_fill(~self._is_legal, -torch.inf)
        self._log_p = torch.cat([part.log_softmax(1) for part in torch.split(masked, self._sizes, 1)], 1)
        self._p = self._log_p.exp()
        each = (self._p * self._log_p).where(self._is_legal, 0)
        self._entropies = [-part.sum(1, keepdim=True) for part in torch.split(each, self._sizes, 1)]
        return self._log_p.gather(1, self._rows).sum(1), torch.cat(self._entropies, 1).sum(1)

    def backpropagate(self, d_log_probs: Tensor, d_entropy: float, d_outputs: Tensor) -> None:
        """The formulas of `categorical_loops._backpropagate`."""
        entropies = torch.cat(
            [entropy.expand(-1, size) for entropy, size in zip(self._entropies, self._sizes, strict=True)], 1
        )
        d_logits = -self._p * (d_log_probs[:, None] + d_entropy * (self._log_p + entropies))
        taken = d_log_probs[:, None].expand(self._rows.shape)
        d_outputs.copy_(d_logits.where(self._is_legal, 0)).scatter_add_(1, self._rows, taken)

    def _legal_mask(self, chosen: NDArray[np.int64], outputs: Tensor) -> Tensor:
        """Which rows are legal, bool, with the shape (B, A) and on the device of the outputs."""
        parts = len(self._sizes)
        places = self._samples.places(chosen) * parts
        begins, ends = self._legal.starts[places], self._legal.starts[places + parts]
        rows = np.repeat(np.arange(chosen.size), ends - begins)
        columns = np.concatenate([self._legal.actions[begin:end] for begin, end in zip(begins, ends, strict=True)])
        mask = torch.zeros(outputs.shape, dtype=torch.bool, device=outputs.device)
        mask[torch.from_numpy(rows).to(mask.device), torch.from_numpy(columns).to(mask.device)] = True
        return mask


def _begins(policy: ActorCriticPolicy) -> NDArray[np.int64]:
    """The first row of each part, (K,)."""
    return np.cumsum([0, *part_sizes(policy.action_space)[:-1]])


def _rows_taken(policy: ActorCriticPolicy, samples: Samples) -> NDArray[np.int64]:
    """The rows of the head that belong to the taken actions, (N, K)."""
    rows: NDArray[np.int64] = samples.actions.astype(np.int64) + _begins(policy)
    return rows


def _legal(buffer: FastRolloutBuffer) -> LegalActions:
    assert isinstance(buffer, LegalRolloutBuffer)
    return buffer.legal


CATEGORICAL = Distribution(LegalRolloutBuffer, CategoricalSampler, LegalRowsHead, DenseCategoricalHead)
