"""`python -m unmeasured`: the `rlsweep` command without its measuring process, for tests of what comes after the plan.

That process takes two to three CPU seconds, most of them to import torch. Every config gets the same figures here.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from rlsweep import cli
from rlsweep.config.run import RunConfig
from rlsweep.planning import forecast
from rlsweep.planning.estimate import Measurement
from rlsweep.planning.measure import measuring


def figures(configs: Sequence[RunConfig], *, gpus: bool, timeout: float) -> list[Measurement]:
    one = Measurement(
        episodes=10,
        mean_episode_length=10.0,
        env_seconds_per_step=0.001,
        policy_seconds_per_step=0.001,
        minibatch_seconds=0.01,
        peak_memory_bytes=400 * 1024**2,
        checkpoint_bytes=100 * 1024,
        n_actions=2,
        observation_size=2,
    )
    return [one] * len(configs)


def measure_here(configs: Sequence[RunConfig], *, gpus: bool, timeout: float) -> list[Measurement]:
    """What the measuring process does, in this one."""
    from rlsweep.planning.probe import measure_all

    return measure_all(configs)


def measure_configs(configs: Sequence[RunConfig], *, gpus: bool = False, timeout: float = 120) -> list[Measurement]:
    """With the measuring process, and wait for it."""
    with measuring(configs, gpus=gpus, timeout=timeout) as measurements:
        return measurements()


def measuring_by(
    measure: Callable[..., list[Measurement]],
) -> Callable[..., AbstractContextManager[Callable[[], list[Measurement]]]]:
    """What stands in for `measuring`: the function measures, once the figures are asked for."""
    return lambda configs, **options: nullcontext(partial(measure, configs, **options))


if __name__ == "__main__":
    forecast.measuring = measuring_by(figures)
    sys.argv[0] = cli.__file__.replace("cli/__init__.py", "__main__.py")  # which a run's record names
    sys.exit(cli.main())
