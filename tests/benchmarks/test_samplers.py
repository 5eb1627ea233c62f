"""Ways to search a space, at equal cost: the true score of what each would take, against env steps.

On synthetic functions with the noise of seeds and curves that rise, and on recorded tables where RACE_CURVES names an
.npz file of curves and SEARCH_CONFIGS a JSON file of their configs. A draw there is the nearest recorded config.
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from search_asha import ours, rays
from search_methods import Method, Size, at_costs, in_race, with_seeds
from search_problems import FAMILIES, SearchProblem, of_table, recorded_tables

REPETITIONS = int(os.environ.get("SEARCH_REPETITIONS", "50"))
SIZE = Size(configs=32, seeds=3)
SHARES = (0.25, 0.5, 0.75, 1.0)
"""Of the cost of every config with three seeds, at which picks are compared."""

RANDOM, EVEN, RACED = "random × 3 seeds", "sobol in a race", "tpe in a race"
OURS, SEEDS_OURS, RAYS = "ASHA here, 1 seed", "ASHA here, 3 seeds", "ASHA of Ray"
METHODS: dict[str, Method] = {
    RANDOM: with_seeds("random"),
    "sobol × 3 seeds": with_seeds("sobol"),
    "tpe × 3 seeds": with_seeds("tpe"),
    "cmaes × 3 seeds": with_seeds("cmaes"),
    EVEN: in_race("sobol"),
    RACED: in_race("tpe"),
    "cmaes in a race": in_race("cmaes"),
    OURS: ours(seeds=1, most=0.5),
    SEEDS_OURS: ours(seeds=3),
    RAYS: rays(SHARES),
}

Problems = Callable[[int], SearchProblem]


def search(problems: Problems, repetitions: int, size: Size = SIZE) -> dict[str, np.ndarray]:
    """The true score of each method's pick: (repetitions, SHARES)."""
    costs = [share * size.runs for share in SHARES]
    found = {}
    for name, method in METHODS.items():
        rows = []
        for repetition in range(repetitions):
            problem = problems(repetition)
            rows.append(at_costs(method(problem, repetition, size), costs, problem.truth(problem.base)))
        found[name] = np.array(rows)
    return found


def of_function(name: str) -> Problems:
    return lambda repetition: FAMILIES[name](np.random.default_rng((repetition, 7)))


def print_search(title: str, found: dict[str, np.ndarray]) -> None:
    repetitions = len(next(iter(found.values())))
    print(f"\n{title}, {repetitions} repetitions: median (quartiles), and mean, of the pick's true score")
    print(f"{'share of the cost':20s}" + "".join(f"{share:>30.2f}" for share in SHARES))
    for name, scores in found.items():
        low, middle, high = np.quantile(scores, (0.25, 0.5, 0.75), axis=0)
        cells = (
            f"{middle[at]:.3f} ({low[at]:.3f} to {high[at]:.3f}) {scores[:, at].mean():.3f}".rjust(30)
            for at in range(len(SHARES))
        )
        print(f"{name:20s}" + "".join(cells), flush=True)


def difference(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Mean of the differences, paired by repetition, and half of its 95% interval."""
    gaps = one - other
    return float(gaps.mean()), float(1.96 * gaps.std(ddof=1) / np.sqrt(len(gaps)))


def check(found: dict[str, np.ndarray]) -> None:
    """Print the differences that matter; a race with tpe that is worse beyond the interval fails the benchmark.

    That ASHA here is no worse than Ray's is held by test_asha.py.
    """
    quarter, half, whole = (SHARES.index(share) for share in (0.25, 0.5, 1.0))
    target = difference(found[RACED][:, half], found[RANDOM][:, whole])
    shown = {
        "tpe in a race at half the cost, less random × 3 seeds": target,
        "tpe in a race less sobol in a race": difference(found[RACED][:, whole], found[EVEN][:, whole]),
        "ASHA here less ASHA of Ray, at a quarter of the cost": difference(
            found[OURS][:, quarter], found[RAYS][:, quarter]
        ),
        "the same at half the cost": difference(found[OURS][:, half], found[RAYS][:, half]),
        "ASHA here with 3 seeds less ASHA of Ray": difference(found[SEEDS_OURS][:, whole], found[RAYS][:, whole]),
    }
    for name, (mean, width) in shown.items():
        print(f"{name}: {mean:+.4f} ± {width:.4f}", flush=True)
    assert sum(target) >= 0


def test_samplers_on_synthetic_functions() -> None:
    all_found = {name: search(of_function(name), REPETITIONS) for name in FAMILIES}
    for name, found in all_found.items():
        print_search(name, found)
    together = {name: np.concatenate([found[name] for found in all_found.values()]) for name in METHODS}
    print_search("all functions", together)
    check(together)


@pytest.mark.skipif(
    not {"RACE_CURVES", "SEARCH_CONFIGS"} <= set(os.environ), reason="no files of recorded curves and their configs"
)
def test_samplers_on_recorded_tables() -> None:
    tables = recorded_tables(Path(os.environ["RACE_CURVES"]), Path(os.environ["SEARCH_CONFIGS"]))
    names = sorted(tables)

    def problems(repetition: int) -> SearchProblem:
        table = tables[names[repetition % len(names)]]
        return of_table(table, np.random.default_rng((repetition, 7)))

    found = search(problems, max(REPETITIONS, 4 * len(names)))
    print_search(f"{len(names)} recorded tables", found)
    check(found)
