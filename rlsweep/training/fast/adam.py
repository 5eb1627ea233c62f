"""Adam on parameters stored as one vector, and its conversion from and to stock Adam's state."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rlsweep.training.fast.towers import Activation, Layer


def state_of(optimizer: torch.optim.Optimizer, parameter: Tensor) -> dict[str, Any]:
    """Adam's state of a parameter, created as in its first step: step (0-d), exp_avg and exp_avg_sq."""
    state: dict[str, Any] = optimizer.state[parameter]
    if not state:
        state["step"] = torch.tensor(0.0)
        state["exp_avg"] = torch.zeros_like(parameter)
        state["exp_avg_sq"] = torch.zeros_like(parameter)
    return state


class AdamSchedule:
    """Counts a policy's optimizer steps; every parameter takes part in every step."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        [group] = optimizer.param_groups
        self._states = [state_of(optimizer, parameter) for parameter in group["params"]]
        self._steps = int(self._states[0]["step"])
        self._learning_rate: float = group["lr"]
        self._betas: tuple[float, float] = group["betas"]
        self._eps: float = group["eps"]

    def coefficients(self, dtype: np.dtype[Any]) -> NDArray[np.floating[Any]]:
        """The coefficients of the next step, for `clipped_adam_step`'s argument `adam`."""
        self._steps += 1
        beta1, beta2 = self._betas
        step_size = self._learning_rate / (1 - beta1**self._steps)
        inverse_root = 1 / math.sqrt(1 - beta2**self._steps)
        return np.array([1 - beta1, beta2, 1 - beta2, step_size, inverse_root, self._eps], dtype)

    def fused(self, flat: "FlatParameters") -> torch.optim.Adam:
        """Torch's fused Adam over flat parameters, starting from the state of the policy's optimizer."""
        adam = torch.optim.Adam([flat.weights], lr=self._learning_rate, betas=self._betas, eps=self._eps, fused=True)
        flat.weights.grad = flat.gradients
        adam.state[flat.weights] = {
            "step": torch.tensor(float(self._steps), device=flat.weights.device),
            "exp_avg": flat.first,
            "exp_avg_sq": flat.second,
        }
        return adam

    def store(self, steps: int | None = None) -> None:
        """Write the number of steps to stock Adam's state."""
        for state in self._states:
            state["step"].fill_(self._steps if steps is None else steps)


class FlatParameters:
    """Copies of parameters, gradients and moments: one vector (n,) of each kind, in the given order.

    The parameters and their optimizer change only with `store`.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, parameters: Sequence[Tensor]) -> None:
        self._parameters = parameters
        self._states = [state_of(optimizer, parameter) for parameter in parameters]
        self.weights = torch.cat([parameter.detach().flatten() for parameter in parameters])
        self.gradients = torch.zeros_like(self.weights)
        self.first = torch.cat([state["exp_avg"].flatten() for state in self._states])
        self.second = torch.cat([state["exp_avg_sq"].flatten() for state in self._states])
        ends = np.cumsum([parameter.numel() for parameter in parameters]).tolist()
        self._begins = {id(parameter): begin for parameter, begin in zip(parameters, [0, *ends], strict=False)}

    def layer(self, beside: Sequence[nn.Linear], activation: Activation | None) -> Layer:
        """A layer of towers whose parameters are adjacent here, weights before biases."""
        weights, biases = [layer.weight for layer in beside], [layer.bias for layer in beside]
        return Layer(
            self._part(self.weights, weights).transpose(1, 2),
            self._part(self.weights, biases)[:, None],
            activation,
            self._part(self.gradients, weights),
            self._part(self.gradients, biases)[:, None],
        )

    def views(self, parameter: Tensor) -> tuple[Tensor, Tensor]:
        """The parameter's weights and gradients here, in its shape."""
        return self._part(self.weights, [parameter])[0], self._part(self.gradients, [parameter])[0]

    @torch.no_grad()
    def store(self) -> None:
        """Copy weights and moments back to the parameters and their optimizer."""
        for parameter, state in zip(self._parameters, self._states, strict=True):
            parameter.copy_(self._part(self.weights, [parameter])[0])
            state["exp_avg"].copy_(self._part(self.first, [parameter])[0])
            state["exp_avg_sq"].copy_(self._part(self.second, [parameter])[0])

    def _part(self, vector: Tensor, beside: Sequence[Tensor]) -> Tensor:
        """The part of a vector for T parameters of equal shape, (T, *shape)."""
        begin, shape = self._begins[id(beside[0])], beside[0].shape
        return vector[begin : begin + len(beside) * shape.numel()].view(len(beside), *shape)
