"""What is raced in tests and benchmarks: configs with known true scores, and the scores of their seeds.

Every method meets the same scores in a draw, so methods are compared on the same luck.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SEEDS = 60
START = 0.5
NOISE = 0.033
"""Standard deviation over seeds of connect_four's final win rate."""


@dataclass(frozen=True)
class Population:
    """All configs of which a problem has some: their scores, shape (all configs, recorded seeds)."""

    rung: Floats
    full: Floats


@dataclass(frozen=True)
class Problem:
    """truth: expected score at the end, shape (configs,); rung, full: scores, shape (configs, seeds)."""

    truth: Floats
    rung: Floats
    full: Floats
    tolerance: float
    start: float
    population: Population | None = None

    @property
    def configs(self) -> int:
        return len(self.truth)

    @property
    def is_good(self) -> NDArray[np.bool_]:
        """Which configs are within the tolerance of the best."""
        return self.regret <= self.tolerance + 1e-12

    @property
    def regret(self) -> Floats:
        return self.truth.max() - self.truth

    def scores(self, config: int, seed: int) -> tuple[float, float]:
        """At the rung and at the end."""
        return float(self.rung[config, seed]), float(self.full[config, seed])


Family = Callable[[np.random.Generator, int], Problem]


def _problem(
    rng: np.random.Generator, truth: Floats, *, slow_best: float = 0.0, noise: float = NOISE, tails: int | None = None
) -> Problem:
    """Half of the budget brings a run a share of its gain: around 0.8, less for good configs with `slow_best`."""
    k = len(truth)
    draws = (
        rng.standard_normal((k, SEEDS))
        if tails is None
        else rng.standard_t(tails, (k, SEEDS)) / np.sqrt(tails / (tails - 2))
    )
    full = truth[:, np.newaxis] + noise * draws
    rank = np.argsort(np.argsort(truth)) / max(1, k - 1)
    share = np.clip(0.8 - slow_best * (rank - 0.5) + 0.08 * rng.standard_normal(k), 0.2, 1.0)
    shares = np.clip(share[:, np.newaxis] + 0.05 * rng.standard_normal((k, SEEDS)), 0.1, 1.1)
    rung = START + (full - START) * shares + 0.01 * rng.standard_normal((k, SEEDS))
    return Problem(truth, rung, full, tolerance=0.03, start=START)


def spread(rng: np.random.Generator, k: int) -> Problem:
    """True scores are spread evenly."""
    return _problem(rng, rng.uniform(0.5, 0.85, k))


def slow_best(rng: np.random.Generator, k: int) -> Problem:
    """The better a config, the later it learns: curves cross after the rung."""
    return _problem(rng, rng.uniform(0.5, 0.85, k), slow_best=0.4)


def near_ties(rng: np.random.Generator, k: int) -> Problem:
    """A third of the configs is within 0.02 of the best, the others are well below."""
    close = max(2, k // 3)
    below = np.concatenate((rng.uniform(0.0, 0.02, close), rng.uniform(0.05, 0.35, k - close)))
    return _problem(rng, 0.85 - rng.permutation(below))


def one_better(rng: np.random.Generator, k: int) -> Problem:
    """One config is better by three tolerances, the others are equal."""
    truth = np.full(k, 0.72)
    truth[rng.integers(k)] = 0.81
    return _problem(rng, truth)


def twins(rng: np.random.Generator, k: int) -> Problem:
    """Two equal configs far above the rest: neither is the winner."""
    truth = np.full(k, 0.68)
    truth[rng.choice(k, 2, replace=False)] = 0.8
    return _problem(rng, truth)


def identical(rng: np.random.Generator, k: int) -> Problem:
    """All configs are equal."""
    return _problem(rng, np.full(k, 0.78))


def heavy_tails(rng: np.random.Generator, k: int) -> Problem:
    """Twice the noise, with tails of Student's t at 3 degrees of freedom; a tenth of the seeds forget most of it."""
    problem = _problem(rng, rng.uniform(0.5, 0.85, k), noise=2 * NOISE, tails=3)
    forgets = rng.random(problem.full.shape) < 0.1
    full = np.where(forgets, START + 0.25 * (problem.full - START), problem.full)
    truth = START + (problem.truth - START) * (1 - 0.75 * 0.1)
    return Problem(truth, problem.rung, full, tolerance=0.06, start=START)


def found_or_not(rng: np.random.Generator, k: int) -> Problem:
    """A seed finds the reward or scores nothing; configs differ in how many of their seeds find it."""
    chance = rng.uniform(0.0, 0.7, k)
    finds = rng.random((k, SEEDS)) < chance[:, np.newaxis]
    full = np.where(finds, 0.9 + 0.02 * rng.standard_normal((k, SEEDS)), 0.0)
    early = finds & (rng.random((k, SEEDS)) < 0.6)
    return Problem(0.9 * chance, np.where(early, 0.8 * full, 0.0), full, tolerance=0.09, start=0.0)


def dead(rng: np.random.Generator, k: int) -> Problem:
    """No config learns anything."""
    noise = 0.02 * rng.standard_normal((2, k, SEEDS))
    return Problem(np.full(k, START), START + noise[0], START + noise[1], tolerance=0.03, start=START)


REGULAR: dict[str, Family] = {
    family.__name__: family for family in (spread, slow_best, near_ties, one_better, twins, identical, heavy_tails)
}
"""Those that the model of the race fits, more or less."""

RUNG_AT, POINTS = 5, 10


@cache
def recorded_curves(path: Path) -> dict[str, Floats]:
    """Tables of recorded learning curves in an .npz file, each (configs, seeds, 10 points of the budget).

    Configs with a missing run are left out. Scores are cut off at the 5th percentile of all final ones, as some runs
    diverge, and scaled so that it is 0 and the best config's mean 1. Tables in which the best configs' seeds do not
    scatter are left out: one look decides them.
    """
    found = {}
    with np.load(path) as file:
        for name in file.files:
            table = file[name].astype(np.float64)
            table = table[np.isfinite(table).all(axis=(1, 2))]
            low = np.percentile(_final(table), 5)
            table = np.maximum(table, low)
            table = (table - low) / (_final(table).mean(1).max() - low)
            best = np.argsort(-_final(table).mean(1))[:20]
            if len(table) >= 64 and np.median(_final(table)[best].std(1, ddof=1)) > 0.02:
                found[name] = table
    return found


def _final(curves: Floats) -> Floats:
    """Mean of the last fifth."""
    return np.asarray(curves[..., POINTS - 2 :].mean(-1))


def _at_rung(curves: Floats) -> Floats:
    """Mean of the last fifth so far."""
    return np.asarray(curves[..., RUNG_AT - 2 : RUNG_AT].mean(-1))


def recorded(table: Floats, rng: np.random.Generator, k: int, tolerance: float = 0.1) -> Problem:
    """So many configs of a table. Its seeds are the population: runs are drawn from them with replacement."""
    chosen = rng.choice(len(table), k, replace=False)
    curves = table[chosen[:, np.newaxis], rng.integers(0, table.shape[1], (k, SEEDS))]
    truth = _final(table[chosen]).mean(1)
    population = Population(_at_rung(table), _final(table))
    return Problem(truth, _at_rung(curves), _final(curves), tolerance=tolerance, start=0.0, population=population)


def is_sparse(table: Floats) -> bool:
    """Whether a seed finds the reward or scores nothing: the best configs have seeds of both kinds."""
    final = _final(table)
    best = final[np.argsort(-final.mean(1))[:20]]
    return float(np.mean((best.min(1) <= 0.1) & (best.max(1) >= 0.5))) >= 0.4
