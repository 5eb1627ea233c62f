"""What our samplers of Optuna's have in common."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rlsweep.spaces.samplers.sampler import Values, point_of
from rlsweep.spaces.space import SearchSpace

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
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


class ToldStudy:
    """A study that is told configs in order, and then asked for draws in the coordinates of a space."""

    def __init__(
        self, sampler: "BaseSampler", space: SearchSpace, coordinates: "Mapping[str, BaseDistribution]"
    ) -> None:
        self._study = study_of(sampler)
        self._space = space
        self._coordinates = dict(coordinates)

    def ask(self) -> dict[str, Any]:
        """The next point. It counts as a trial that runs."""
        with quiet():
            return dict(self._study.ask(self._coordinates).params)

    def add(self, values: Values, score: float | None, *, otherwise: Mapping[str, Any] | None = None) -> None:
        """Tell a config, and its score where it has one; `otherwise`: coordinates that stand for missing ones."""
        import optuna

        point = {**(otherwise or {}), **point_of(self._space, values)}
        states = optuna.trial.TrialState
        trial = optuna.trial.create_trial(
            params=point,
            distributions={name: self._coordinates[name] for name in point},
            state=states.RUNNING if score is None else states.COMPLETE,
            value=None if score is None else -score,
        )
        with quiet():
            self._study.add_trial(trial)
