"""Independent draws."""

from rlsweep.spaces.samplers.sampler import Values, coordinates, values_at
from rlsweep.spaces.space import SearchSpace
from rlsweep.spaces.studies import study_of


class RandomSampler:
    """Draws each key by itself, whatever was scored."""

    def __init__(self, space: SearchSpace) -> None:
        import optuna

        self._sampler = optuna.samplers.RandomSampler(seed=space.seed)
        self._study = study_of(self._sampler)
        self._trial = optuna.trial.create_trial(state=optuna.trial.TrialState.RUNNING)
        self._space = space
        self._coordinates = coordinates(space)

    def ask(self) -> Values:
        """The next draw."""
        point = {
            name: self._sampler.sample_independent(self._study, self._trial, name, each)
            for name, each in self._coordinates.items()
        }
        return values_at(self._space, point)

    def tell(self, values: Values, score: float | None) -> None:
        """Nothing is learned."""
