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
from search_methods import Drawn, Method, Size, at_costs, in_race, with_seeds
from search_problems import FAMILIES, SearchProblem, of_table, recorded_tables

REPETITIONS = int(os.environ.get("SEARCH_REPETITIONS", "50"))
SIZE = Size(configs=32, seeds=3)
SHARES = (0.25, 0.5, 0.75, 1.0)
"""Of the cost of every config with three seeds, at which picks are compared."""

RANDOM, RACED = "random × 3 seeds", "tpe in a race"
OURS, SEEDS_OURS, RAYS = "ASHA here, 1 seed", "ASHA here, 3 seeds", "ASHA of Ray"
METHODS: dict[str, Method] = {
    RANDOM: with_seeds("random"),
    "sobol × 3 seeds": with_seeds("sobol"),
    "tpe × 3 seeds": with_seeds("tpe"),
    "cmaes × 3 seeds": with_seeds("cmaes"),
    "sobol in a race": in_race("sobol"),
    RACED: in_race("tpe"),
    "cmaes in a race": in_race("cmaes"),
    OURS: ours(seeds=1, most=0.5),
    SEEDS_OURS: ours(seeds=3),
    RAYS: rays(),
}

FEW, FEW_SLOTS = 27, 9
FEW_METHODS: dict[str, dict[str, Method]] = {
    order: {
        OURS: ours(seeds=1, configs=FEW, slots=FEW_SLOTS, is_rising=is_rising),
        RAYS: rays(configs=FEW, slots=FEW_SLOTS, is_rising=is_rising),
    }
    for order, is_rising in (("in random order", False), ("the worst first", True))
}
"""The same few configs: what first arrivals that pass, and runs that are stopped for good, cost."""

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
    """Print how the targets are met; what fails beyond its interval fails the benchmark."""
    quarter, half, whole = SHARES.index(0.25), SHARES.index(0.5), SHARES.index(1.0)
    targets = {
        "tpe in a race at half the cost, less random × 3 seeds": (found[RACED][:, half], found[RANDOM][:, whole]),
        "ASHA here less ASHA of Ray, at a quarter of the cost": (found[OURS][:, quarter], found[RAYS][:, quarter]),
        "the same at half the cost": (found[OURS][:, half], found[RAYS][:, half]),
        "ASHA here with 3 seeds less ASHA of Ray": (found[SEEDS_OURS][:, whole], found[RAYS][:, whole]),
    }
    for name, (one, other) in targets.items():
        mean, width = difference(one, other)
        print(f"{name}: {mean:+.4f} ± {width:.4f}", flush=True)
        assert mean + width >= 0, name


def few_configs(problems: Problems, methods: dict[str, Method], repetitions: int) -> dict[str, np.ndarray]:
    """Cost, and true score of the pick less that of the best of the same configs: (repetitions, 2)."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in methods}
    for repetition in range(repetitions):
        problem = problems(repetition)
        drawn = Drawn(problem, repetition, "random", FEW)
        while len(drawn.values) < FEW:
            drawn.draw_evenly()
        best = max(map(drawn.truth, range(FEW)))
        for name, method in methods.items():
            cost, truth = method(problem, repetition, SIZE)[-1]
            found[name].append((cost, truth - best))
    return {name: np.array(rows) for name, rows in found.items()}


def print_few(title: str, found: dict[str, np.ndarray]) -> None:
    print(f"\nAll functions, the same {FEW} configs, {title}, on {FEW_SLOTS} slots, {len(found[OURS])} repetitions")
    for name, rows in found.items():
        low, middle, high = np.quantile(rows[:, 0], (0.25, 0.5, 0.75))
        print(f"{name:20s} cost {middle:.2f} ({low:.2f} to {high:.2f}), regret {-rows[:, 1].mean():.4f}", flush=True)
    mean, width = difference(found[OURS][:, 1], found[RAYS][:, 1])
    print(f"{OURS} less {RAYS}: {mean:+.4f} ± {width:.4f}", flush=True)


def test_samplers_on_synthetic_functions() -> None:
    all_found = {name: search(of_function(name), REPETITIONS) for name in FAMILIES}
    for name, found in all_found.items():
        print_search(name, found)
    together = {name: np.concatenate([found[name] for found in all_found.values()]) for name in METHODS}
    print_search("all functions", together)
    for order, methods in FEW_METHODS.items():
        few = [few_configs(of_function(name), methods, REPETITIONS) for name in FAMILIES]
        print_few(order, {name: np.concatenate([each[name] for each in few]) for name in methods})
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
