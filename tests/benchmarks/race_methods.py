"""The race and what it is compared with: each method picks a config of a problem and pays for what it trained."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from race_families import Problem

from rlsweep.deciding.records import RaceSettings, Tolerance
from rlsweep.deciding.simulated import simulate

RUN, RUNG = 2.0, 1.0
"""Costs of a whole run and of its way to the rung; a grid has five runs a config."""

GRID_SEEDS = 5


@dataclass(frozen=True)
class Pick:
    """cost: as a share of the grid's. risk, promise: None where none is stated; both None where none may be claimed."""

    config: int
    cost: float
    is_named: bool
    risk: float | None = None
    promise: float | None = None


Method = Callable[[Problem, np.random.Generator], Pick]


def grid(seeds: int) -> Method:
    """Every config with so many seeds; the best mean."""

    def run(problem: Problem, rng: np.random.Generator) -> Pick:
        return Pick(int(np.argmax(problem.full[:, :seeds].mean(1))), seeds / GRID_SEEDS, is_named=True)

    return run


def asha_from_half(seeds: int = 2, slots: int = 4) -> Method:
    """Ray Tune's ASHAScheduler with reduction 2 and its first rung at half of the budget. It stops and never pauses.

    A run stops at the rung if it is below the median of the runs that came there before it. The pick is the best mean
    among the configs that finished as many seeds as the best config, at most two.
    """

    def run(problem: Problem, rng: np.random.Generator) -> Pick:
        queue = [(int(config), seed) for seed in range(seeds) for config in rng.permutation(problem.configs)]
        seen: list[float] = []
        finished: dict[int, list[float]] = {}
        active: list[tuple[int, int, int]] = []
        halves = 0
        while queue or active:
            while queue and len(active) < slots:
                active.append((*queue.pop(0), 1))
            halves += len(active)
            going_on = []
            for config, seed, half in active:
                if half == 2:
                    finished.setdefault(config, []).append(problem.full[config, seed])
                    continue
                rung = problem.rung[config, seed]
                if not seen or rung >= np.median(seen):
                    going_on.append((config, seed, 2))
                seen.append(rung)
            active = going_on
        most = min(2, max(map(len, finished.values())))
        means = {config: np.mean(scores) for config, scores in finished.items() if len(scores) >= most}
        best = max(means, key=lambda config: (means[config], -config))
        return Pick(best, halves / 2 / (GRID_SEEDS * problem.configs), is_named=True)

    return run


def race(cap: float, slots: int = 4) -> Method:
    """The shipped rule; `cap` as a share of the grid's cost."""

    def run(problem: Problem, rng: np.random.Generator) -> Pick:
        whole = GRID_SEEDS * problem.configs * RUN
        settings = RaceSettings(
            tolerance=Tolerance(value=problem.tolerance, is_share=False), cap=cap * whole, run_cost=RUN, rung_cost=RUNG
        )
        done = simulate(settings, problem.configs, problem.scores, slots=slots, start=problem.start)
        found = done.decision
        assert found.leader is not None
        return Pick(
            found.leader,
            done.record.spent / whole,
            found.is_winner,
            found.risk if found.may_claim else None,
            found.promise if found.may_claim else None,
        )

    return run
