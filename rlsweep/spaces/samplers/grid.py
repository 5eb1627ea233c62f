"""Every combination of the values, in an order that the seed shuffles."""

import math

from rlsweep.spaces.samplers.sampler import Values
from rlsweep.spaces.space import SearchSpace
from rlsweep.spaces.studies import study_of


class GridSampler:
    """Draws each point of the grid once."""

    def __init__(self, space: SearchSpace) -> None:
        import optuna

        self._values = {dimension.key: dimension.listed or () for dimension in space.dimensions}
        grid = {key: range(len(values)) for key, values in self._values.items()}
        self._study = study_of(optuna.samplers.GridSampler(grid, seed=space.seed))
        self._left = math.prod(map(len, grid.values()))

    def ask(self) -> Values | None:
        """The next point; None behind the last."""
        if self._left == 0:
            return None
        self._left -= 1
        trial = self._study.ask()
        return {key: values[trial.suggest_int(key, 0, len(values) - 1)] for key, values in self._values.items()}

    def tell(self, values: Values, score: float | None) -> None:
        """Nothing is learned."""
