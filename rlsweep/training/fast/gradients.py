"""PPO's loss on a minibatch, and its derivatives, in compiled loops over only the legal rows of the action head.

A masked action has probability and gradient zero. Legal actions come in compressed rows, as in sampling.py.

H is the width of the policy's latent, B the number of samples, E at least that of all their legal actions ("entries"),
A that of actions.
"""

import numpy as np
from numpy.typing import NDArray

from rlsweep.training.fast.compiled import Floats, Ints, add_scaled, compiled, dot, inlined, log_softmax


@inlined
def _gather_legal(
    places: NDArray[np.int64], actions: Ints, starts: NDArray[np.int64], legal: Ints, offsets: Ints
) -> None:
    """Copy the legal actions of the samples at `places` of a rollout, one after another."""
    end = 0
    offsets[0] = 0
    for sample in range(places.size):
        for entry in range(starts[places[sample]], starts[places[sample] + 1]):
            legal[end] = actions[entry]
            end += 1
        offsets[sample + 1] = end


@inlined
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
    """Log-probabilities of all legal actions (E,) and of the taken actions (B,), and entropies (B,)."""
    for sample in range(latent.shape[0]):
        begin, end = offsets[sample], offsets[sample + 1]
        for entry in range(begin, end):
            log_p[entry] = bias[legal[entry]] + dot(latent[sample], weight[legal[entry]])
        log_softmax(log_p[begin:end])
        entropy = latent.dtype.type(0)
        log_probs[sample] = np.nan
        for entry in range(begin, end):
            entropy -= np.exp(log_p[entry]) * log_p[entry]
            if legal[entry] == taken[sample]:
                log_probs[sample] = log_p[entry]
        entropies[sample] = entropy


@inlined
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

    Schulman et al. 2017, as in sb3-contrib's `MaskablePPO.train`; the derivative by entropy is -ent_coef / B.

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
        # if the clipped value is the smaller one, it is constant
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


@inlined
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
    """Gradients by the latent and the head's legal rows, from the gradients by log-probability (B,) and entropy.

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
            add_scaled(d_latent[sample], d_logit, weight[action])
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
            add_scaled(d_weight[slot], log_p[entry], latent[sample])
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
    """The objective of B samples from the towers' outputs, and its derivatives by them and the head's legal rows.

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
