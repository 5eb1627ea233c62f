"""Sample categorical actions, and compute PPO's loss and its derivatives, over only the legal rows of the action head.

A masked action has probability and gradient zero, so only the few hundred legal rows of an action head with 36,400 rows
matter for a sample. An action has K parts: K is 1 for Discrete; of MultiDiscrete and MultiBinary each part has a
categorical distribution of its own, and log-probabilities and entropies are sums over the parts. The parts' rows of the
head follow one another. Legal rows come compressed: those of part k of sample i are
`rows[starts[i * K + k] : starts[i * K + k + 1]]`.

H is the width of the policy's latent, B the number of samples, E at least that of all their legal rows ("entries"),
A that of the head's rows.
"""

import numpy as np
from numpy.typing import NDArray

from rlsweep.training.fast.compiled import Floats, Ints, add_scaled, compiled, dot, inlined, log_softmax
from rlsweep.training.fast.loss import ppo_loss


@compiled
def sample_actions(
    latent: Floats,
    weight: Floats,
    bias: Floats,
    legal: Ints,
    starts: NDArray[np.int64],
    uniforms: NDArray[np.float64],
    chosen: NDArray[np.int64],
    log_probs: Floats,
) -> None:
    """Draw one legal action per sample by inverting the cumulative distribution of each part at `uniforms`.

    latent (B, H), weight (A, H), bias (A,), legal (E,), starts (B K + 1,), uniforms (B, K) in [0, 1)
    Written: chosen (B, K), rows of the head, and log_probs (B,)
    """
    parts = uniforms.shape[1]
    for sample in range(latent.shape[0]):
        log_probs[sample] = 0
        for part in range(parts):
            place = sample * parts + part
            rows = legal[starts[place] : starts[place + 1]]
            log_p = np.empty(rows.size, latent.dtype)
            for entry in range(rows.size):
                log_p[entry] = bias[rows[entry]] + dot(latent[sample], weight[rows[entry]])
            log_softmax(log_p)
            left = uniforms[sample, part]
            choice = 0
            for entry in range(rows.size):
                choice = entry
                left -= np.exp(log_p[entry])
                if left < 0:
                    break
            chosen[sample, part] = rows[choice]
            log_probs[sample] += log_p[choice]


@inlined
def _gather_legal(
    places: NDArray[np.int64], parts: int, rows: Ints, starts: NDArray[np.int64], legal: Ints, offsets: Ints
) -> None:
    """Copy the legal rows of the samples at `places` of a rollout, one part after another."""
    end = 0
    offsets[0] = 0
    for sample in range(places.size):
        for part in range(parts):
            place = places[sample] * parts + part
            for entry in range(starts[place], starts[place + 1]):
                legal[end] = rows[entry]
                end += 1
            offsets[sample * parts + part + 1] = end


@inlined
def _evaluate_actions(
    latent: Floats,
    weight: Floats,
    bias: Floats,
    legal: Ints,
    offsets: Ints,
    taken: NDArray[np.int64],
    log_p: Floats,
    part_log_probs: Floats,
    part_entropies: Floats,
    log_probs: Floats,
    entropies: Floats,
) -> None:
    """Log-probabilities of all legal rows (E,), and of the taken actions, and entropies: (B K,) and (B,) each."""
    parts = taken.shape[1]
    for sample in range(latent.shape[0]):
        log_probs[sample] = 0
        entropies[sample] = 0
        for part in range(parts):
            place = sample * parts + part
            begin, end = offsets[place], offsets[place + 1]
            for entry in range(begin, end):
                log_p[entry] = bias[legal[entry]] + dot(latent[sample], weight[legal[entry]])
            log_softmax(log_p[begin:end])
            entropy = latent.dtype.type(0)
            # an array, not a number: else the entropy is added up in another order, and older runs resume differently
            part_log_probs[place] = np.nan
            for entry in range(begin, end):
                entropy -= np.exp(log_p[entry]) * log_p[entry]
                if legal[entry] == taken[sample, part]:
                    part_log_probs[place] = log_p[entry]
            part_entropies[place] = entropy
            entropies[sample] += entropy
            log_probs[sample] += part_log_probs[place]


@inlined
def _backpropagate(
    latent: Floats,
    weight: Floats,
    legal: Ints,
    offsets: Ints,
    taken: NDArray[np.int64],
    log_p: Floats,
    part_entropies: Floats,
    d_log_probs: Floats,
    d_entropy: float,
    d_latent: Floats,
    slots: Ints,
    rows: Ints,
    d_weight: Floats,
    d_bias: Floats,
) -> int:
    """Gradients by the latent and the head's legal rows, from the gradients by log-probability (B,) and entropy.

    With z the logits of a part, log p = z - logsumexp(z) and H = -sum(p log p):
    d log p_taken / dz_a = [a is taken] - p_a, and dH / dz_a = -p_a (log p_a + H).

    log_p becomes d loss / dz (E,). Returns how many rows are legal for any sample; as many of `rows` (ascending),
    d_weight (·, H) and d_bias (·, 1) are written. slots (A,) is scratch.
    """
    parts = taken.shape[1]
    slots[:] = 0
    for sample in range(latent.shape[0]):
        d_latent[sample] = 0
        for part in range(parts):
            place = sample * parts + part
            for entry in range(offsets[place], offsets[place + 1]):
                row = legal[entry]
                p = np.exp(log_p[entry])
                d_logit = -p * (d_log_probs[sample] + d_entropy * (log_p[entry] + part_entropies[place]))
                if row == taken[sample, part]:
                    d_logit += d_log_probs[sample]
                log_p[entry] = d_logit
                add_scaled(d_latent[sample], d_logit, weight[row])
                slots[row] = 1
    used = 0
    for row in range(slots.size):
        if slots[row]:
            slots[row] = used
            rows[used] = row
            d_weight[used] = 0
            d_bias[used] = 0
            used += 1
    for sample in range(latent.shape[0]):
        for entry in range(offsets[sample * parts], offsets[sample * parts + parts]):
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
    all_legal, starts: the rollout's legal rows; places (B,): where in them these samples are
    taken (B, K): the rows of the taken actions; transitions (4, B), settings: as `ppo_loss`
    Scratch: legal (E,), offsets (B K + 1,), log_p (E,), slots (A,)
    Written: d_latent (B, H), d_values (B,), figures (5,); rows, d_weight and d_bias, as many as is returned
    """
    _gather_legal(places, taken.shape[1], all_legal, starts, legal, offsets)
    log_probs, entropies, d_log_probs = np.empty_like(values), np.empty_like(values), np.empty_like(values)
    part_log_probs, part_entropies = np.empty(taken.size, values.dtype), np.empty(taken.size, values.dtype)
    _evaluate_actions(
        latent, weight, bias[:, 0], legal, offsets, taken, log_p, part_log_probs, part_entropies, log_probs, entropies
    )  # fmt: skip
    ppo_loss(log_probs, entropies, values, transitions, settings, d_log_probs, d_values, figures)
    d_entropy = -settings[3] / values.dtype.type(values.size)
    return _backpropagate(
        latent, weight, legal, offsets, taken, log_p, part_entropies, d_log_probs, d_entropy, d_latent,
        slots, rows, d_weight, d_bias,
    )  # fmt: skip
