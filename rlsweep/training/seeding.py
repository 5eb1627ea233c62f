"""Derive seeds from a run's seed, so that no two environments share a random stream."""

import numpy as np

from rlsweep.config.training import MAX_SEED


def training_seed(seed: int, n_envs: int) -> int:
    """Seed of the first parallel environment; the i-th gets this + i, as in SB3.

    Runs with different seeds share no environment seed. With one environment it is the run's seed, as in stock SB3.
    """
    return seed * n_envs


def resumed_seed(seed: int, env_steps: int) -> int:
    """Seed of policy and environments for a run resumed at `env_steps`, so that it does not repeat its first stream."""
    return int(np.random.SeedSequence((seed, env_steps)).generate_state(1, np.uint32)[0]) >> 1


def evaluation_seed(seed: int) -> int:
    """Seed of the evaluation environment: counted down from MAX_SEED, while training seeds count up from 0.

    The two do not overlap while seed × n_envs is below 2**30. Like the run's seed, it is at least 0 and below 2**31,
    as `np.random.RandomState` and C code require.
    """
    return MAX_SEED - seed


def score_seed(seed: int) -> int:
    """Seed of the evaluations for a run's score: counted up from 2**30, the middle of the range.

    They are none of the training seeds while seed × n_envs is below 2**30, and none of the periodic evaluations' seeds
    of any run while the seeds are below 2**29. Like the run's seed, it is at least 0 and below 2**31.
    """
    return (2**30 + seed) % 2**31
