"""ASHA as it is shipped, and Ray Tune's own, over the same curves, with the same slots and for the same cost.

A curve has a score after each of so many parts of the budget. Both draw configs in one order, begin the next one
whenever a slot is free, and stop when the cost is spent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler

from rlsweep.schedulers.asha import AshaSettings, ranked, shares
from rlsweep.schedulers.simulated_asha import simulate

REDUCTION, RUNGS = 3, 3
PARTS = REDUCTION ** (RUNGS - 1)
"""Of the budget, after each of which a run reports; the rungs are at the first, the third and the last."""

SETTINGS = AshaSettings(rungs=shares(RUNGS, REDUCTION), reduction=REDUCTION)

Curves = NDArray[np.float64]
"""Scores, shape (configs, PARTS), in the order in which configs begin."""


@dataclass(frozen=True)
class Found:
    """pick: the config with the best score at the highest rung; finished: configs that trained to their end."""

    pick: int
    finished: int
    begun: int
    cost: float


def ours(curves: Curves, *, cost: float, slots: int, speed: Sequence[float]) -> Found:
    """It pauses and promotes."""

    def score(config: int, seed: int, rung: int) -> float:
        return float(curves[config, REDUCTION**rung - 1])

    done = simulate(
        SETTINGS, configs=len(curves), slots=slots, score=score, seconds=lambda config: speed[config], budget=cost
    )
    highest = max(rung for rung in range(RUNGS) if ranked(done.record, rung))
    return Found(
        pick=ranked(done.record, highest)[0][0], finished=done.reached(RUNGS - 1), begun=done.reached(0), cost=done.cost
    )


def rays(curves: Curves, *, cost: float, slots: int, speed: Sequence[float]) -> Found:
    """Ray Tune's class, fed by stub trials: it stops a run below the cutoff of those before it, or lets it pass."""
    scheduler = AsyncHyperBandScheduler(
        time_attr="part", metric="score", mode="max", max_t=PARTS, grace_period=1, reduction_factor=REDUCTION
    )
    controller, spent, begun = cast("Any", None), 0, 0
    training: list[tuple[float, int, int]] = []
    best: dict[int, list[tuple[float, int]]] = {rung: [] for rung in range(RUNGS)}
    now = 0.0
    while True:
        while len(training) < slots and begun < len(curves) and spent + 1 <= cost * PARTS + 1e-9:
            scheduler.on_trial_add(controller, cast("Any", SimpleNamespace(trial_id=str(begun))))
            heappush(training, (now + speed[begun], begun, 1))
            begun, spent = begun + 1, spent + 1
        if not training:
            break
        now, config, part = heappop(training)
        trial, score = cast("Any", SimpleNamespace(trial_id=str(config))), float(curves[config, part - 1])
        said = scheduler.on_trial_result(controller, trial, {"part": part, "score": score})
        for rung in range(RUNGS):
            if part == REDUCTION**rung:
                best[rung].append((score, -config))
        if said == TrialScheduler.CONTINUE and spent + 1 <= cost * PARTS + 1e-9:
            spent += 1
            heappush(training, (now + speed[config], config, part + 1))
    highest = max(rung for rung, scores in best.items() if scores)
    return Found(pick=-max(best[highest])[1], finished=len(best[RUNGS - 1]), begun=begun, cost=spent / PARTS)
