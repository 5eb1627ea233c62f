"""How much of the differences in score each key explains: fANOVA by Optuna (Hutter et al. 2014, ICML), repeated.

One forest over a few configs shows a share for every key, also for one that does nothing. So each repetition draws the
configs anew, and their scores as far as they are known, and has one more key of random values to compare with.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rlsweep.imports import import_to_stay
from rlsweep.spaces.studies import quiet, study_of

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Floats = NDArray[np.float64]

REPEATS, TREES = 16, 5
"""Forests, and trees of each: 80 trees over 32 configs and five keys take a quarter of a second."""

MOST_DRAWN = 64
"""Configs that a repetition looks at: of more, each repetition draws so many, and the shares scatter more."""

_NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """The values of one key, one a config; categories are numbered from 0."""

    values: tuple[float, ...]
    is_category: bool


Shares = Callable[[Sequence[Column], Floats, Floats, float], Floats]
"""`shares`, or what computes the same in another process."""


def shares(columns: Sequence[Column], mean: Floats, sd: Floats, freedom: float) -> Floats:
    """The share that each key explains alone, 0 to 1; (REPEATS, keys + 1). The last column is that of random values.

    mean, sd: (configs,) of the believed scores, whose tails are those of Student's t with so many degrees of freedom
    The same input gives the same shares.
    """
    rng, configs = np.random.default_rng(0), len(mean)
    distributions = {str(number): _distribution(column) for number, column in enumerate(columns)}
    distributions[_NOTHING] = _distribution(Column(values=(0.0, 1.0), is_category=False))
    table = np.array([column.values for column in columns])
    found = np.zeros((REPEATS, len(distributions)))
    for repeat in range(REPEATS):
        chosen = rng.integers(0, configs, min(configs, MOST_DRAWN))
        scores = mean + sd * rng.standard_t(freedom, configs)
        rows = np.vstack((table, rng.random(configs)))[:, chosen]
        found[repeat] = _shares_once(distributions, columns, rows, scores[chosen], seed=repeat)
    return found


def preload() -> None:
    """Import what `shares` needs, which it would import itself."""
    import_to_stay("optuna")
    import_to_stay("sklearn.ensemble")  # which Optuna imports late


def _distribution(column: Column) -> "BaseDistribution":
    import optuna

    if column.is_category:
        return optuna.distributions.CategoricalDistribution(sorted({int(value) for value in column.values}))
    return optuna.distributions.FloatDistribution(min(column.values), max(column.values))


def _shares_once(
    distributions: dict[str, "BaseDistribution"], columns: Sequence[Column], rows: Floats, scores: Floats, *, seed: int
) -> list[float]:
    """The shares of one repetition. rows: (keys + 1, configs)."""
    import optuna
    from optuna.importance import FanovaImportanceEvaluator

    if not np.ptp(scores):
        return [0.0] * len(distributions)
    kinds = [int if column.is_category else float for column in columns]
    with quiet():
        study = study_of(optuna.samplers.RandomSampler(seed=0))
        study.add_trials(
            [
                optuna.trial.create_trial(
                    params={
                        key: kind(value)
                        for key, kind, value in zip(distributions, [*kinds, float], point.tolist(), strict=True)
                    },
                    distributions=distributions,
                    value=score,
                )
                for point, score in zip(rows.T, scores.tolist(), strict=True)
            ]
        )
        try:
            found = FanovaImportanceEvaluator(n_trees=TREES, seed=seed).evaluate(study, params=list(distributions))
        except RuntimeError as exc:
            if "zero total variance" not in str(exc):
                raise
            return [0.0] * len(distributions)  # no tree found anything to split
    return [float(found[key]) for key in distributions]
