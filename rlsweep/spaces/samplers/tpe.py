"""The tree-structured Parzen estimator (Bergstra et al. 2011, Advances in NIPS 24): draw where good configs lie."""

from rlsweep.spaces.samplers.optuna_sampler import ToldStudy
from rlsweep.spaces.samplers.sampler import Values, coordinates, values_at
from rlsweep.spaces.space import SearchSpace
from rlsweep.spaces.studies import quiet

EXTRA_SHARE = 2
"""Whether the extra value is drawn is learned too; so it counts for no more than being inside the range."""


class TpeSampler:
    """Draws more often where the best tenth of the configs lies than where the others do, keys that all have together.

    A config without a score counts among the others (a constant liar), so that draws in a row spread.
    """

    def __init__(self, space: SearchSpace) -> None:
        import optuna

        self._space = space
        with quiet():
            sampler = optuna.samplers.TPESampler(
                n_startup_trials=1, multivariate=True, group=True, constant_liar=True, seed=space.seed
            )
        self._told = ToldStudy(sampler, space, coordinates(space, extra_share=EXTRA_SHARE))

    def ask(self) -> Values:
        """The next draw. One that is not used counts as a config without a score."""
        return values_at(self._space, self._told.ask())

    def tell(self, values: Values, score: float | None) -> None:
        """Take notice of what a config with these values scored."""
        self._told.add(values, score)
