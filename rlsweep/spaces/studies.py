"""Studies of Optuna in memory, without what Optuna says of each."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
    from optuna.study import Study


def study_of(sampler: "BaseSampler") -> "Study":
    """A study in memory that a sampler belongs to."""
    import optuna

    with quiet():
        return optuna.create_study(sampler=sampler)


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna tells of each study that it makes, and warns of samplers that may change: .constraints.txt pins it."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
