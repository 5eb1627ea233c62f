"""Which seed goes where, so that no two environments share a stream by accident."""

import numpy as np

from rlsweep.config.training import MAX_SEED


def training_seed(seed: int, n_envs: int) -> int:
    """Seed of the first parallel environment; the i-th takes this + i, as SB3 counts.

    Runs of one config that differ in their seed share no environment seed; with one environment it is the run's own
    seed, as in stock SB3.
    """
    return seed * n_envs


def resumed_seed(seed: int, env_steps: int) -> int:
    """Seed of policy and environments from a resumed run's `env_steps` on: not the stream it began with again."""
    return int(np.random.SeedSequence((seed, env_steps)).generate_state(1, np.uint32)[0]) >> 1


def evaluation_seed(seed: int) -> int:
    """Seed of the evaluation environment: counted down from the top, as training's are counted up from 0.

    The two do not meet while seed × n_envs stays below 2**30. Like the run's own seed it is at least 0 and below
    2**31, as `np.random.RandomState` and engines in C want it.
    """
    return MAX_SEED - seed
