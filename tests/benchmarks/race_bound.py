"""What bounds a race on recorded curves: a rule that knows the table from which the configs were drawn.

It knows the scores of all seeds of all configs of the table, and has to find out which of them its own configs are. No
rule that knows only its own runs can do that. Where it falls short of a grid too, the cap is too small for the task.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from race_families import Population, Problem
from race_methods import GRID_SEEDS, RUN, RUNG, Method, Pick

Floats = NDArray[np.float64]

SMOOTHING = 1.06 * 10**-0.2
"""Bandwidth of a config's density over the standard deviation of its ten seeds (Silverman 1986, eq. 3.28)."""

LEAST_WIDTH = 0.02
"""Of a density, as a share of the range of configs."""

DRAWS, LAST_DRAWS = 40, 2_000
"""From the posterior: for each choice of a run, and for the pick."""


class Knowledge:
    """Of a table: how likely each of its configs gives such scores."""

    def __init__(self, population: Population) -> None:
        self.mean = population.full.mean(1)
        self._order = np.argsort(self.mean)
        self._scores = (population.rung, population.full)
        self._widths = tuple(
            np.maximum(SMOOTHING * scores.std(1, keepdims=True), LEAST_WIDTH * np.ptp(scores.mean(1)) + 1e-12)
            for scores in self._scores
        )

    def log_likelihood(self, *scores: float) -> Floats:
        """Of a run's score at the rung, and at its end where it is given, by config of the table."""
        density = np.ones(self._scores[0].shape)
        for value, known, width in zip(scores, self._scores, self._widths, strict=False):
            density *= np.exp(-0.5 * ((value - known) / width) ** 2) / width
        return np.asarray(np.log(density.mean(1) + 1e-30))

    def draw(self, log_weights: Floats, draws: int, rng: np.random.Generator) -> Floats:
        """Expected scores of the race's configs, (draws, configs), from weights (configs, configs of the table)."""
        weights = np.exp(log_weights - log_weights.max(1, keepdims=True))
        sums = np.cumsum(weights[:, self._order], 1)
        uniform = rng.random((draws, len(sums))) * sums[:, -1]
        places = [np.searchsorted(of_config, uniform[:, config]) for config, of_config in enumerate(sums)]
        return np.asarray(self.mean[self._order][np.minimum(np.stack(places, 1), len(self.mean) - 1)])


def informed(cap: float) -> Method:
    """Every config to the rung, then top-two Thompson sampling (Russo 2020, Operations Research 68) up to the cap.

    The pick is the config that is most probably within the tolerance of the best. `cap`: a share of the grid's cost.
    """

    def run(problem: Problem, rng: np.random.Generator) -> Pick:
        assert problem.population is not None
        knowledge = Knowledge(problem.population)
        whole = GRID_SEEDS * problem.configs * RUN
        weights = np.array([knowledge.log_likelihood(score) for score in problem.rung[:, 0]])
        seeds = np.zeros(problem.configs, dtype=int)  # finished
        spent = problem.configs * RUNG
        while True:
            costs = np.where(seeds == 0, RUN - RUNG, RUN)
            for config in _top_two(knowledge.draw(weights, DRAWS, rng), rng):
                if spent + costs[config] <= cap * whole:
                    break
            else:
                break
            rung, full = problem.scores(config, int(seeds[config]))
            weights[config] += knowledge.log_likelihood(rung, full)
            if seeds[config] == 0:
                weights[config] -= knowledge.log_likelihood(rung)
            seeds[config] += 1
            spent += costs[config]
        drawn = knowledge.draw(weights, LAST_DRAWS, rng)
        is_good = drawn >= drawn.max(1, keepdims=True) - problem.tolerance
        return Pick(int(is_good.mean(0).argmax()), spent / whole, is_named=False)

    return run


def _top_two(drawn: Floats, rng: np.random.Generator) -> Sequence[int]:
    """The best config of one draw, and that of the first draw in which another is the best, in random order."""
    best = drawn.argmax(1)
    others = best[best != best[0]]
    challenger = others[0] if len(others) else np.argsort(-drawn.mean(0))[1]
    both = [int(best[0]), int(challenger)]
    return both if rng.random() < 0.5 else both[::-1]
