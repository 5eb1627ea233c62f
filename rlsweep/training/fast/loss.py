"""PPO's loss on a minibatch and its derivatives by what the networks put out, in a compiled loop."""

import numpy as np
from numpy.typing import NDArray

from rlsweep.training.fast.compiled import Floats, inlined


@inlined
def ppo_loss(
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

    Schulman et al. 2017, as in the `train` of PPO and MaskablePPO; the derivative by entropy is -ent_coef / B.

    transitions (4, B): old values, old log-probabilities, advantages, returns
    settings: clip_range, clip_range_vf, normalize_from, ent_coef and vf_coef of `Objective`
    Written: the derivatives by log-probability and by value (B,); figures (5,): as `Figure` counts them
    """
    size = log_probs.size
    one = log_probs.dtype.type(1)
    share = one / log_probs.dtype.type(size)
    old_values, old_log_probs, advantages, returns = transitions[0], transitions[1], transitions[2], transitions[3]
    clip_range, clip_range_vf, vf_coef = settings[0], settings[1], settings[4]
    mean, scale = log_probs.dtype.type(0), one
    if 0 < settings[2] <= size:
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
