"""ASHA against Ray Tune's own at equal cost: the regret of the pick, over synthetic and recorded learning curves.

RACE_CURVES names an .npz file of tables, each an array (configs, seeds, 10 points of the budget), as for races.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from asha_methods import PARTS, Curves, Found, ours, rays
from race_families import recorded_curves

REPETITIONS = 50
CONFIGS, SLOTS = 64, 4
COST = 10.0
"""In whole runs, of which 64 configs would take 64."""

FEW = 20
"""Configs that all begin within the cost."""

Problem = tuple[Curves, np.ndarray]
"""Curves of one seed each, and the expected score of each config at the end."""


def synthetic(rng: np.random.Generator) -> Problem:
    """Configs that learn at different speeds, so that early scores mislead somewhat, and the noise of a seed."""
    truth, speed = rng.normal(size=CONFIGS), rng.uniform(0.15, 0.8, size=CONFIGS)
    shares = np.arange(1, PARTS + 1) / PARTS
    rise = (1 - np.exp(-shares[np.newaxis] / speed[:, np.newaxis])) / (1 - np.exp(-1 / speed[:, np.newaxis]))
    curves = (
        truth[:, np.newaxis] * rise + 0.15 * rng.normal(size=(CONFIGS, 1)) + 0.1 * rng.normal(size=(CONFIGS, PARTS))
    )
    return curves, truth


def of_table(table: np.ndarray) -> Callable[[np.random.Generator], Problem]:
    """Configs of a recorded table, one of its seeds each; between its points a curve is straight."""
    points = np.arange(1, 11) / 10
    shares = np.arange(1, PARTS + 1) / PARTS

    def draw(rng: np.random.Generator) -> Problem:
        chosen = rng.choice(len(table), min(CONFIGS, len(table)), replace=False)
        seeds = rng.integers(table.shape[1], size=len(chosen))
        curves = np.array(
            [np.interp(shares, points, table[config, seed]) for config, seed in zip(chosen, seeds, strict=True)]
        )
        truth = table[chosen, :, -1].mean(axis=1)
        return curves, truth

    return draw


def misleading(problem: Problem) -> Problem:
    """Few configs, of which the worse begin first, so that whoever comes next is better than all that came before."""
    curves, truth = problem[0][:FEW], problem[1][:FEW]
    order = np.argsort(curves[:, 0])
    return curves[order], truth[order]


ORDERS: dict[str, Callable[[Problem], Problem]] = {
    "random order": lambda problem: problem,
    "the worse first": misleading,
}


def drawn(problems: Iterator[tuple[np.random.Generator, Problem]]) -> dict[str, list[tuple[float, Found]]]:
    """Regret of both on the same problems: how much better the best config's expected score is than the pick's."""
    found: dict[str, list[tuple[float, Found]]] = {"ours": [], "Ray's": []}
    for rng, (curves, truth) in problems:
        speed = rng.uniform(0.8, 1.2, size=len(curves)).tolist()
        for name, method in (("ours", ours), ("Ray's", rays)):
            done = method(curves, cost=COST, slots=SLOTS, speed=speed)
            assert done.cost <= COST + 1e-9
            found[name].append((float(truth.max() - truth[done.pick]), done))
    return found


def compare(title: str, draw: Callable[[np.random.Generator], Problem]) -> dict[str, float]:
    """Print both, in random order and in one that misleads; the mean regret by name and order."""
    means = {}
    for order, arranged in ORDERS.items():
        rngs = [np.random.default_rng((number, 7)) for number in range(REPETITIONS)]
        for name, each in drawn((rng, arranged(draw(rng))) for rng in rngs).items():
            regrets = np.array([regret for regret, _ in each])
            low, middle, high = np.quantile(regrets, [0.25, 0.5, 0.75])
            begun, finished, cost = np.mean([(done.begun, done.finished, done.cost) for _, done in each], axis=0)
            regret = f"regret {middle:.3f} ({low:.3f} to {high:.3f}), mean {regrets.mean():.3f}"
            trained = f"{begun:.1f} configs begun, {finished:.1f} whole runs, cost {cost:.1f}"
            print(f"{title}, {order:15s} {name:6s} {regret}; {trained}", flush=True)
            means[f"{name}, {order}"] = float(regrets.mean())
    return means


def test_it_is_above_rays_at_equal_cost_on_synthetic_curves() -> None:
    found = compare("synthetic", synthetic)
    for order in ORDERS:
        assert found[f"ours, {order}"] <= found[f"Ray's, {order}"], order


@pytest.mark.skipif("RACE_CURVES" not in os.environ, reason="RACE_CURVES names no file of recorded curves")
def test_it_is_above_rays_at_equal_cost_on_recorded_curves() -> None:
    tables = recorded_curves(Path(os.environ["RACE_CURVES"]))
    every = [compare(name, of_table(table)) for name, table in tables.items()]
    for order in ORDERS:
        means = {name: np.mean([each[f"{name}, {order}"] for each in every]) for name in ("ours", "Ray's")}
        print(f"mean over {len(every)} tables, {order}: {means}")
        assert means["ours"] <= means["Ray's"], order
