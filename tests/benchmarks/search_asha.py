"""ASHA, ours and Ray's by its real class, in a search: three rungs, reduction 3, configs drawn at random."""

import numpy as np
from search_methods import SLOTS, Drawn, Method, Size, Track
from search_problems import SearchProblem

from rlsweep.schedulers.asha import AshaSettings, shares
from rlsweep.schedulers.simulated_asha import simulate

RUNGS, REDUCTION = 3, 3
SHARES = shares(RUNGS, REDUCTION)
SETTINGS = AshaSettings(rungs=SHARES, reduction=REDUCTION)
CONFIG_COST = SHARES[0] + sum((SHARES[k] - SHARES[k - 1]) / REDUCTION**k for k in range(1, RUNGS))
"""Of one seed of a config, in whole runs, on average."""


def ours(seeds: int, *, most: float = 1.0) -> Method:
    """`--scheduler asha`: the best mean over seeds at the highest rung.

    Configs are as many as the cost allows; most: share of it, for many configs, of which each decision looks at all
    """

    def run(problem: SearchProblem, repetition: int, size: Size) -> Track:
        drawn = Drawn(problem, repetition, "random", 2)
        scores: dict[tuple[int, int], list[float]] = {}
        best: list[tuple[int, float, int]] = []
        track: Track = []
        spent = 0.0

        def score(config: int, seed: int, rung: int) -> float:
            nonlocal spent
            found = drawn.at(config, seed, SHARES[rung])
            spent += SHARES[rung] - (SHARES[rung - 1] if rung else 0.0)
            of_config = scores.setdefault((rung, config), [])
            of_config.append(found)
            if len(of_config) == seeds:
                best.append((rung, float(np.mean(of_config)), -config))
                best[:] = [max(best)]
                track.append((spent, drawn.truth(-best[0][2])))
            return found

        budget = most * size.runs
        simulate(SETTINGS, configs=_configs(budget, seeds), slots=SLOTS, score=score, seeds=seeds, budget=budget)
        return track

    return run


def rays(at: tuple[float, ...]) -> Method:
    """Ray Tune's ASHAScheduler, one seed a config, at these shares of the cost."""

    def run(problem: SearchProblem, repetition: int, size: Size) -> Track:
        import asha_methods  # imports Ray, which only this method needs

        assert asha_methods.SETTINGS == SETTINGS
        parts = asha_methods.PARTS
        drawn = Drawn(problem, repetition, "random", 2)
        configs = _configs(size.runs, 1)
        curves = np.array(
            [[drawn.at(config, 0, (part + 1) / parts) for part in range(parts)] for config in range(configs)]
        )
        track: Track = []
        for share in at:
            cost = share * size.runs
            found = asha_methods.rays(curves, cost=cost, slots=SLOTS, speed=[1.0] * configs)
            track.append((cost, drawn.truth(found.pick)))
        return track

    return run


def _configs(budget: float, seeds: int) -> int:
    """How many configs a budget is expected to pay for, and a few more."""
    return 2 + round(1.2 * budget / CONFIG_COST / seeds)
