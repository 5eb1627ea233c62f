"""ASHA, ours and Ray's by its real class, over the same configs and scores, with three rungs and reduction 3."""

import heapq
from types import SimpleNamespace
from typing import Any

import numpy as np
from search_methods import SLOTS, Drawn, Method, Size, Track
from search_problems import SearchProblem

from rlsweep.schedulers.asha import AshaSettings, shares
from rlsweep.schedulers.simulated_asha import simulate

RUNGS, REDUCTION = 3, 3
SHARES = shares(RUNGS, REDUCTION)
CONFIG_COST = SHARES[0] + sum((SHARES[k] - SHARES[k - 1]) / REDUCTION**k for k in range(1, RUNGS))
"""Of one seed of a config, in whole runs, on average."""


def _drawn(problem: SearchProblem, repetition: int, rising: int | None) -> Drawn:
    """Configs at random; `rising`: so many, in the order of their true scores."""
    drawn = Drawn(problem, repetition, "random", 2)
    while rising is not None and len(drawn.values) < rising:
        drawn.draw_evenly()
    if rising is not None:
        drawn.values.sort(key=problem.truth)
    return drawn


def ours(
    seeds: int, *, configs: int | None = None, slots: int = SLOTS, is_rising: bool = False, most: float = 1.0
) -> Method:
    """`--scheduler asha`: a config waits at its rung until it is in the top third; the best mean at the highest rung.

    configs: drawn at random; None for as many as the cost allows
    is_rising: they come in the order of their true scores, the worst first, as a grid of one key may
    most: share of the cost, for many configs, of which each decision looks at all
    """

    def run(problem: SearchProblem, repetition: int, size: Size) -> Track:
        drawn = _drawn(problem, repetition, configs if is_rising else None)
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

        simulate(
            AshaSettings(rungs=SHARES, reduction=REDUCTION),
            configs=configs or max(2, round(most * size.runs / CONFIG_COST / seeds)),
            slots=slots,
            score=score,
            seeds=seeds,
            budget=most * size.runs,
        )
        return track

    return run


def rays(*, configs: int | None = None, slots: int = SLOTS, is_rising: bool = False) -> Method:
    """Ray Tune's ASHAScheduler: a run stops unless it is in the top third of those before it; the best last score.

    configs, is_rising: as `ours` has them
    """

    def run(problem: SearchProblem, repetition: int, size: Size) -> Track:
        from ray.tune.schedulers import ASHAScheduler, TrialScheduler

        drawn = _drawn(problem, repetition, configs if is_rising else None)
        steps = [round(REDUCTION**rung) for rung in range(RUNGS)]
        scheduler: Any = ASHAScheduler(
            metric="score", mode="max", max_t=steps[-1], grace_period=steps[0], reduction_factor=REDUCTION
        )
        last: dict[int, float] = {}
        track: Track = []
        training: list[tuple[float, int, int, Any]] = []
        spent, begun = 0.0, 0

        def begin(now: float) -> None:
            nonlocal begun
            if configs is not None and begun == configs:
                return
            trial = SimpleNamespace(trial_id=f"{begun}", config={})
            scheduler.on_trial_add(None, trial)
            heapq.heappush(training, (now + SHARES[0], begun, 0, trial))
            begun += 1

        for _ in range(slots):
            begin(0.0)
        while training:
            now, config, rung, trial = heapq.heappop(training)
            spent += SHARES[rung] - (SHARES[rung - 1] if rung else 0.0)
            if spent > size.runs:
                break
            last[config] = drawn.at(config, 0, SHARES[rung])
            result = {"training_iteration": steps[rung], "score": last[config]}
            decision = scheduler.on_trial_result(None, trial, result)
            track.append((spent, drawn.truth(max(last, key=lambda each: (last[each], -each)))))
            if decision == TrialScheduler.CONTINUE and rung + 1 < RUNGS:
                heapq.heappush(training, (now + SHARES[rung + 1] - SHARES[rung], config, rung + 1, trial))
            else:
                scheduler.on_trial_complete(None, trial, result)
                begin(now)
        return track

    return run
