"""A step of Adam with clipped gradients, in compiled loops: on everything, or on the rows of the head that it changes.

H is the width of the policy's latent, A the number of actions.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlsweep.training.fast.compiled import Floats, Ints, compiled, dot, inlined


@inlined
def _adam(weight: Floats, gradient: Floats, first: Floats, second: Floats, scale: float, adam: Floats) -> None:
    """One step of Adam, in place (Kingma and Ba 2015; torch's `_single_tensor_adam`), with gradients times `scale`."""
    rise1, beta2, rise2, step_size, inverse_root, eps = adam[0], adam[1], adam[2], adam[3], adam[4], adam[5]
    for index in range(weight.size):
        g = gradient[index] * scale
        m = first[index] + rise1 * (g - first[index])
        v = beta2 * second[index] + rise2 * g * g
        first[index] = m
        second[index] = v
        weight[index] -= step_size * m / (np.sqrt(v) * inverse_root + eps)


@inlined
def _adam_rows(
    weight: Floats,
    first: Floats,
    second: Floats,
    rows: Ints,
    gradient: Floats,
    is_moving: NDArray[np.bool_],
    scale: float,
    adam: Floats,
) -> None:
    """`_adam` on every row with a nonzero gradient or moment; the other rows would not change."""
    none = np.zeros(weight.shape[1], weight.dtype)
    slot = 0
    for row in range(weight.shape[0]):
        if slot < rows.size and rows[slot] == row:
            _adam(weight[row], gradient[slot], first[row], second[row], scale, adam)
            slot += 1
        elif is_moving[row]:
            _adam(weight[row], none, first[row], second[row], scale, adam)


@inlined
def _clipping(squares: np.floating[Any], max_grad_norm: np.floating[Any], weights: Floats) -> Any:
    """The factor that brings gradients with this sum of squares below the norm, in the dtype of the weights."""
    return min(weights.dtype.type(1), max_grad_norm / (np.sqrt(squares) + weights.dtype.type(1e-6)))


@compiled
def clipped_adam_flat(
    weights: Floats, gradients: Floats, first: Floats, second: Floats, max_grad_norm: np.floating[Any], adam: Floats
) -> None:
    """As `clipped_adam_step`, where the vectors (n,) hold all parameters."""
    scale = _clipping(dot(gradients, gradients), max_grad_norm, weights)
    _adam(weights, gradients, first, second, scale, adam)


@compiled
def clipped_adam_step(
    weights: Floats,
    gradients: Floats,
    first: Floats,
    second: Floats,
    head_weight: Floats,
    head_first: Floats,
    head_second: Floats,
    bias: Floats,
    bias_first: Floats,
    bias_second: Floats,
    is_moving: NDArray[np.bool_],
    rows: Ints,
    used: int,
    d_weight: Floats,
    d_bias: Floats,
    max_grad_norm: np.floating[Any],
    adam: Floats,
) -> None:
    """Clip the norm of all gradients together, like torch's `clip_grad_norm_`, and take a step of Adam.

    weights, gradients, first and second moments (n,): of everything but the action head
    head_* (A, H), bias* (A, 1): the head and its moments; rows, d_weight, d_bias: from `differentiate`
    is_moving (A,): rows that ever had a gradient, updated here: momentum changes them even without a new gradient
    adam: 1 - beta1, beta2, 1 - beta2, lr / (1 - beta1^t), 1 / sqrt(1 - beta2^t), eps
    """
    squares = dot(gradients, gradients)
    for slot in range(used):
        squares += dot(d_weight[slot], d_weight[slot]) + d_bias[slot, 0] ** 2
        is_moving[rows[slot]] = True
    scale = _clipping(squares, max_grad_norm, weights)
    _adam(weights, gradients, first, second, scale, adam)
    _adam_rows(head_weight, head_first, head_second, rows[:used], d_weight, is_moving, scale, adam)
    _adam_rows(bias, bias_first, bias_second, rows[:used], d_bias, is_moving, scale, adam)
