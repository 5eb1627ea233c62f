"""CMA-ES, warm-started by what is known (Nomura et al. 2021, AAAI 35): draw from the distribution of good configs."""

from math import ceil
from typing import TYPE_CHECKING, Any

from rlsweep.spaces.samplers.optuna_sampler import ToldStudy
from rlsweep.spaces.samplers.sampler import Values, coordinates, point_of, values_at
from rlsweep.spaces.samplers.tpe import EXTRA_SHARE
from rlsweep.spaces.space import SearchSpace
from rlsweep.spaces.studies import quiet

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

FEWEST_TOLD = 10
"""Configs of which the best tenth is one: Optuna's warm start takes that tenth."""


class CmaesSampler:
    """Draws ranges from the distribution of the best tenth of the configs, and choices as `tpe` does.

    A generation of CMA-ES has about as many configs as a whole race; so the distribution is fitted anew for each draw.
    Where a config has no value inside a range, the middle of the range stands for it.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._coordinates = coordinates(space, extra_share=EXTRA_SHARE)
        self._known: list[tuple[Values, float | None]] = []
        self._told: ToldStudy | None = None

    def ask(self) -> Values:
        """The next draw, of what is told before the first one."""
        if self._told is None:
            self._told = self._study()
        return values_at(self._space, self._told.ask())

    def tell(self, values: Values, score: float | None) -> None:
        """Take notice of what a config with these values scored, before the first draw."""
        self._known.append((values, score))

    def _study(self) -> ToldStudy:
        import optuna

        scored = [(values, score) for values, score in self._known if score is not None]
        ranges = {name: each for name, each in self._coordinates.items() if not _is_choice(each)}
        sources = [_source(ranges, point_of(self._space, values), score) for values, score in scored]
        with quiet():
            independent = optuna.samplers.TPESampler(
                n_startup_trials=1, multivariate=False, constant_liar=True, seed=self._space.seed
            )
            sampler = optuna.samplers.CmaEsSampler(
                n_startup_trials=0,
                independent_sampler=independent,
                warn_independent_sampling=False,
                seed=self._space.seed,
                source_trials=sources * ceil(FEWEST_TOLD / len(sources)) if ranges and sources else None,
            )
        told = ToldStudy(sampler if ranges and sources else independent, self._space, self._coordinates)
        for values, score in self._known:
            told.add(values, score, otherwise={} if score is None else _middles(ranges))
        return told


def _is_choice(distribution: Any) -> bool:
    from optuna.distributions import CategoricalDistribution

    return isinstance(distribution, CategoricalDistribution)


def _middles(ranges: dict[str, Any]) -> dict[str, Any]:
    """The middle of each range, of its logarithms where those are drawn."""
    found = {}
    for name, each in ranges.items():
        middle = (each.low * each.high) ** 0.5 if each.log else (each.low + each.high) / 2
        found[name] = each.to_external_repr(round(middle) if isinstance(each.low, int) else middle)
    return found


def _source(ranges: dict[str, Any], point: dict[str, Any], score: float) -> "FrozenTrial":
    """A config as Optuna's warm start takes it: every range has a value."""
    import optuna

    params = {name: point.get(name, middle) for name, middle in _middles(ranges).items()}
    return optuna.trial.create_trial(params=params, distributions=ranges, value=-score)
