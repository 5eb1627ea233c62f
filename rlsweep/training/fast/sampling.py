"""Sample legal actions, in a compiled loop.

A masked action has probability zero, so only the few hundred legal rows of an action head with 36,400 rows matter for a
sample. Legal actions are compressed rows: those of sample i are `actions[starts[i] : starts[i + 1]]`.
"""

import numpy as np
from numpy.typing import NDArray

from rlsweep.training.fast.compiled import Floats, Ints, compiled, dot, log_softmax


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
    """Draw one legal action per sample by inverting the cumulative distribution at `uniforms`.

    latent (B, H), weight (A, H), bias (A,), actions (E,), starts (B + 1,), uniforms (B,) in [0, 1)
    chosen (B,) and log_probs (B,) are written
    """
    for sample in range(latent.shape[0]):
        legal = actions[starts[sample] : starts[sample + 1]]
        log_p = np.empty(legal.size, latent.dtype)
        for entry in range(legal.size):
            log_p[entry] = bias[legal[entry]] + dot(latent[sample], weight[legal[entry]])
        log_softmax(log_p)
        left = uniforms[sample]
        choice = 0
        for entry in range(legal.size):
            choice = entry
            left -= np.exp(log_p[entry])
            if left < 0:
                break
        chosen[sample] = legal[choice]
        log_probs[sample] = log_p[choice]
