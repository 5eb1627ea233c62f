"""What our samplers of Optuna's that learn from scores have in common."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rlsweep.spaces.samplers.sampler import Values, point_of
from rlsweep.spaces.space import SearchSpace
from rlsweep.spaces.studies import quiet, study_of

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler


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
