"""The loops that must be compiled: whatever touches only the legal rows of the action head, Adam, and advantages.

A masked action has probability and gradient zero, so of a head with 36,400 rows only the few hundred that are legal
matter for a sample. Legal actions come in compressed rows: those of sample i are `actions[starts[i] : starts[i + 1]]`.

All arrays are C-contiguous; floats are float32 or float64, one dtype in a call. H is the width of the policy's
latent, B the number of samples, E at least that of all their legal actions ("entries"), A that of actions.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])
Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int32]

# Sums may be reordered, so that they fill vector registers; NaN and infinity keep their meaning.
_compile: Any = partial(numba.njit, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")


def compiled(function: Function) -> Function:
    """Compile at the first call for each dtype; the machine code is kept on disk for the next process."""
    try:
        return cast(Function, _compile(cache=True)(function))
    except RuntimeError:  # neither this folder nor one of the user's can be written: compile in every process
        return cast(Function, _compile()(function))


@compiled
def _dot(a: Floats, b: Floats) -> np.floating[Any]:
    total = a.dtype.type(0)
    for index in range(a.size):
        total += a[index] * b[index]
    return total


@compiled
def _add_scaled(target: Floats, scale: float, source: Floats) -> None:
    for index in range(target.size):
        target[index] += scale * source[index]


@compiled
def _log_softmax(logits: Floats) -> None:
    """In place: z - log(sum(exp(z)))."""
    top = logits.max()
    total = logits.dtype.type(0)
    for index in range(logits.size):
        total += np.exp(logits[index] - top)
    norm = top + np.log(total)
    for index in range(logits.size):
        logits[index] -= norm


@compiled
def sample_actions(
    latent: Floats,
    weight: Floats,
    bias: Floats,
    actions: Ints,
    starts: NDArray[np.int64],
    uniforms: NDArray[np.float64],
    chosen: NDArray[np.int64],
    log_probs: Floats,
) -> None:
    """Draw one legal action a sample by inverting the cumulative distribution at `uniforms`.

    latent (B, H), weight (A, H), bias (A,), actions (E,), starts (B + 1,), uniforms (B,) in [0, 1)
    chosen (B,) and log_probs (B,) are written
    """
    for sample in range(latent.shape[0]):
        legal = actions[starts[sample] : starts[sample + 1]]
        log_p = np.empty(legal.size, latent.dtype)
        for entry in range(legal.size):
            log_p[entry] = bias[legal[entry]] + _dot(latent[sample], weight[legal[entry]])
        _log_softmax(log_p)
        left = uniforms[sample]
        choice = 0
        for entry in range(legal.size):
            choice = entry
            left -= np.exp(log_p[entry])
            if left < 0:
                break
        chosen[sample] = legal[choice]
        log_probs[sample] = log_p[choice]


@compiled
def _gather_legal(
    places: NDArray[np.int64], actions: Ints, starts: NDArray[np.int64], legal: Ints, offsets: Ints
) -> None:
    """Copy the legal actions of some samples of a rollout, which lie at `places`, one after another."""
    end = 0
    offsets[0] = 0
    for sample in range(places.size):
        for entry in range(starts[places[sample]], starts[places[sample] + 1]):
            legal[end] = actions[entry]
            end += 1
        offsets[sample + 1] = end


@compiled
def _evaluate_actions(
    latent: Floats,
    weight: Floats,
    bias: Floats,
    legal: Ints,
    offsets: Ints,
    taken: NDArray[np.int64],
    log_p: Floats,
    log_probs: Floats,
    entropies: Floats,
) -> None:
    """Log-probabilities of all legal actions (E,), of those taken (B,), and entropies (B,)."""
    for sample in range(latent.shape[0]):
        begin, end = offsets[sample], offsets[sample + 1]
        for entry in range(begin, end):
            log_p[entry] = bias[legal[entry]] + _dot(latent[sample], weight[legal[entry]])
        _log_softmax(log_p[begin:end])
        entropy = latent.dtype.type(0)
        log_probs[sample] = np.nan
        for entry in range(begin, end):
            entropy -= np.exp(log_p[entry]) * log_p[entry]
            if legal[entry] == taken[sample]:
                log_probs[sample] = log_p[entry]
        entropies[sample] = entropy


@compiled
def _objective(
    log_probs: Floats,
    entropies: Floats,
    values: Floats,
    transitions: Floats,
    settings: Floats,
    d_log_probs: Floats,
    d_values: Floats,
    figures: NDArray[np.float64],
) -> None:
    """PPO's loss on a minibatch, policy loss + ent_coef × entropy loss + vf_coef × value loss, and its derivatives.

    Schulman et al. 2017, as `MaskablePPO.train` of sb3-contrib has it; by entropy the derivative is -ent_coef / B.

    transitions (4, B): old values, old log-probabilities, advantages, returns
    settings: clip_range, clip_range_vf (infinite for none), 1 to normalise advantages, ent_coef, vf_coef
    Written: the derivatives by log-probability and by value (B,); figures (5,): as `Figure` counts them
    """
    size = log_probs.size
    one = log_probs.dtype.type(1)
    share = one / log_probs.dtype.type(size)
    old_values, old_log_probs, advantages, returns = transitions[0], transitions[1], transitions[2], transitions[3]
    clip_range, clip_range_vf, vf_coef = settings[0], settings[1], settings[4]
    mean, scale = log_probs.dtype.type(0), one
    if settings[2] != 0:
        mean = advantages.mean()
        deviation = log_probs.dtype.type(0)
        for sample in range(size):
            deviation += (advantages[sample] - mean) ** 2
        scale = np.sqrt(deviation / log_probs.dtype.type(size - 1)) + log_probs.dtype.type(1e-8)
    figures[:] = 0
    for sample in range(size):
        advantage = (advantages[sample] - mean) / scale
        log_ratio = log_probs[sample] - old_log_probs[sample]
        ratio = np.exp(log_ratio)
        surrogate = advantage * ratio
        clipped = advantage * min(max(ratio, one - clip_range), one + clip_range)
        # where the smaller one is the clipped one, it is constant
        d_log_probs[sample] = -surrogate * share if surrogate <= clipped else log_probs.dtype.type(0)
        change = values[sample] - old_values[sample]
        error = old_values[sample] + min(max(change, -clip_range_vf), clip_range_vf) - returns[sample]
        is_free = abs(change) <= clip_range_vf
        d_values[sample] = 2 * vf_coef * error * share if is_free else log_probs.dtype.type(0)
        figures[0] -= min(surrogate, clipped)
        figures[1] += error * error
        figures[2] -= entropies[sample]
        figures[3] += abs(ratio - one) > clip_range
        figures[4] += ratio - one - log_ratio
    figures /= size


@compiled
def _backpropagate(
    latent: Floats,
    weight: Floats,
    legal: Ints,
    offsets: Ints,
    taken: NDArray[np.int64],
    log_p: Floats,
    entropies: Floats,
    d_log_probs: Floats,
    d_entropy: float,
    d_latent: Floats,
    slots: Ints,
    rows: Ints,
    d_weight: Floats,
    d_bias: Floats,
) -> int:
    """Gradients by the latent and by the head's legal rows, from those by log-probability (B,) and entropy.

    With z the logits, log p = z - logsumexp(z) and H = -sum(p log p):
    d log p_taken / dz_a = [a is taken] - p_a, and dH / dz_a = -p_a (log p_a + H).

    log_p becomes d loss / dz (E,). Returns how many rows are legal for any sample; as many of `rows` (ascending),
    d_weight (·, H) and d_bias (·, 1) are written. slots (A,) is scratch.
    """
    slots[:] = 0
    for sample in range(latent.shape[0]):
        d_latent[sample] = 0
        for entry in range(offsets[sample], offsets[sample + 1]):
            action = legal[entry]
            p = np.exp(log_p[entry])
            d_logit = -p * (d_log_probs[sample] + d_entropy * (log_p[entry] + entropies[sample]))
            if action == taken[sample]:
                d_logit += d_log_probs[sample]
            log_p[entry] = d_logit
            _add_scaled(d_latent[sample], d_logit, weight[action])
            slots[action] = 1
    used = 0
    for action in range(slots.size):
        if slots[action]:
            slots[action] = used
            rows[used] = action
            d_weight[used] = 0
            d_bias[used] = 0
            used += 1
    for sample in range(latent.shape[0]):
        for entry in range(offsets[sample], offsets[sample + 1]):
            slot = slots[legal[entry]]
            _add_scaled(d_weight[slot], log_p[entry], latent[sample])
            d_bias[slot, 0] += log_p[entry]
    return used


@compiled
def differentiate(
    latent: Floats,
    values: Floats,
    weight: Floats,
    bias: Floats,
    all_legal: Ints,
    starts: NDArray[np.int64],
    places: NDArray[np.int64],
    taken: NDArray[np.int64],
    transitions: Floats,
    settings: Floats,
    legal: Ints,
    offsets: Ints,
    log_p: Floats,
    slots: Ints,
    rows: Ints,
    d_weight: Floats,
    d_bias: Floats,
    d_latent: Floats,
    d_values: Floats,
    figures: NDArray[np.float64],
) -> int:
    """The objective of B samples from the towers' results, its derivatives by them, and by the head's legal rows.

    latent (B, H), values (B,): of the towers; weight (A, H), bias (A, 1): the action head
    all_legal, starts: the rollout's legal actions; places (B,): where in them these samples are; taken (B,)
    transitions (4, B), settings: as `_objective`
    Scratch: legal (E,), offsets (B + 1,), log_p (E,), slots (A,)
    Written: d_latent (B, H), d_values (B,), figures (5,); rows, d_weight and d_bias, as many as is returned
    """
    _gather_legal(places, all_legal, starts, legal, offsets)
    log_probs, entropies, d_log_probs = np.empty_like(values), np.empty_like(values), np.empty_like(values)
    _evaluate_actions(latent, weight, bias[:, 0], legal, offsets, taken, log_p, log_probs, entropies)
    _objective(log_probs, entropies, values, transitions, settings, d_log_probs, d_values, figures)
    d_entropy = -settings[3] / values.dtype.type(values.size)
    return _backpropagate(
        latent, weight, legal, offsets, taken, log_p, entropies, d_log_probs, d_entropy, d_latent,
        slots, rows, d_weight, d_bias,
    )  # fmt: skip


@compiled
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


@compiled
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
    """`_adam` on every row whose gradient or moments are not all zero; on the others it would change nothing."""
    none = np.zeros(weight.shape[1], weight.dtype)
    slot = 0
    for row in range(weight.shape[0]):
        if slot < rows.size and rows[slot] == row:
            _adam(weight[row], gradient[slot], first[row], second[row], scale, adam)
            slot += 1
        elif is_moving[row]:
            _adam(weight[row], none, first[row], second[row], scale, adam)


@compiled
def step(
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
    """Clip the norm of all gradients together, as torch's `clip_grad_norm_`, and take a step of Adam.

    weights, gradients, first and second moments (n,): of everything but the action head
    head_* (A, H), bias* (A, 1): the head and its moments; rows, d_weight, d_bias: as `differentiate` leaves them
    is_moving (A,): which rows ever had a gradient, brought up to date here: momentum moves them on without one
    adam: 1 - beta1, beta2, 1 - beta2, lr / (1 - beta1^t), 1 / sqrt(1 - beta2^t), eps
    """
    squares = _dot(gradients, gradients)
    for slot in range(used):
        squares += _dot(d_weight[slot], d_weight[slot]) + d_bias[slot, 0] ** 2
        is_moving[rows[slot]] = True
    one = weights.dtype.type(1)
    scale = min(one, max_grad_norm / (np.sqrt(squares) + weights.dtype.type(1e-6)))
    _adam(weights, gradients, first, second, scale, adam)
    _adam_rows(head_weight, head_first, head_second, rows[:used], d_weight, is_moving, scale, adam)
    _adam_rows(bias, bias_first, bias_second, rows[:used], d_bias, is_moving, scale, adam)


@compiled
def advantages(
    rewards: Floats,
    values: Floats,
    episode_starts: Floats,
    last_values: Floats,
    last_dones: Floats,
    gamma: float,
    decay: float,
    result: Floats,
) -> None:
    """Generalised advantage estimates (Schulman et al. 2016), as SB3's `RolloutBuffer.compute_returns_and_advantage`.

    rewards, values, episode_starts, result (steps, envs); last_values, last_dones (envs,); decay: gamma times lambda
    """
    steps, envs = rewards.shape
    one = rewards.dtype.type(1)
    for env in range(envs):
        going_on = one - last_dones[env]
        next_value = last_values[env]
        advantage = rewards.dtype.type(0)
        for step in range(steps - 1, -1, -1):
            delta = rewards[step, env] + gamma * next_value * going_on - values[step, env]
            advantage = delta + decay * going_on * advantage
            result[step, env] = advantage
            going_on = one - episode_starts[step, env]
            next_value = values[step, env]
