"""A Sobol sequence: each draw lies where few earlier ones do."""

from rlsweep.spaces.samplers.sampler import Values, coordinates, values_at
from rlsweep.spaces.space import SearchSpace
from rlsweep.spaces.studies import quiet, study_of


class SobolSampler:
    """Fills the space evenly, whatever was scored. The sequence is scrambled by the seed."""

    def __init__(self, space: SearchSpace) -> None:
        import optuna

        with quiet():
            self._sampler = optuna.samplers.QMCSampler(qmc_type="sobol", scramble=True, seed=space.seed)
        self._study = study_of(self._sampler)
        self._trial = optuna.trial.create_trial(state=optuna.trial.TrialState.RUNNING)
        self._space = space
        self._coordinates = coordinates(space)

    def ask(self) -> Values:
        """The next draw."""
        point = self._sampler.sample_relative(self._study, self._trial, self._coordinates)
        return values_at(self._space, point)

    def tell(self, values: Values, score: float | None) -> None:
        """Nothing is learned."""
