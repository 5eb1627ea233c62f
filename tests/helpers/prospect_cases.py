"""Forecasts of a safe answer beside what really happened: sweeps are drawn, forecast, and gone on with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf

import numpy as np
from race_families import Problem

from rlsweep.deciding.prospects import kept_configs, prospect_of_race, prospect_of_seeds
from rlsweep.deciding.race import decide
from rlsweep.deciding.records import Decision, RaceRecord, RaceSettings, SeedScores, Stop, Tolerance
from rlsweep.deciding.simulated import simulate

RUN, RUNG = 2.0, 1.0
SAFE = 0.05
PLACES = (2, 6, 12, 24)
"""Of a forecast's 25 amounts of training, those that are compared."""

ANEW = 20
"""First seed of a race that begins anew."""

BINS = ((0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.01))


@dataclass(frozen=True)
class Case:
    """One amount of training: the forecast chance of a safe answer, its band, and whether the answer was safe."""

    chance: float
    low: float
    high: float
    is_safe: bool


def settings_of(problem: Problem, cap: float = inf) -> RaceSettings:
    return RaceSettings(
        tolerance=Tolerance(value=problem.tolerance, is_share=False), cap=cap, run_cost=RUN, rung_cost=RUNG
    )


def grid_record(problem: Problem, seeds: int) -> RaceRecord:
    """Every config with so many seeds."""
    scores = tuple(
        tuple(
            SeedScores(rung=rung, full=full) for rung, full in (problem.scores(config, seed) for seed in range(seeds))
        )
        for config in range(problem.configs)
    )
    return RaceRecord(scores=scores, start=problem.start, spent=seeds * problem.configs * RUN)


def cases(problems: Iterable[Problem], *, slots: int, seeds: int = 3) -> dict[str, list[Case]]:
    """Of each sweep that is not safe yet and has no caveat: a race that goes on, and one of fewer configs anew."""
    found: dict[str, list[Case]] = {"more seeds": [], "fewer configs": []}
    for problem in problems:
        settings, record = settings_of(problem), grid_record(problem, seeds)
        now = decide(settings_of(problem, 0.0), record, free=0)
        if not now.may_claim or _is_safe(now):
            continue
        kept = kept_configs(settings, record)
        race = partial(_safe_at, problem, slots=slots)
        more = prospect_of_seeds(settings, record, slots=slots)
        safe_at = race(range(problem.configs), cap=more.env_steps[-1], trained=seeds, first=seeds)
        found["more seeds"] += _compared(more, safe_at)
        fewer = prospect_of_race(settings, record, kept=kept, slots=slots)
        found["fewer configs"] += _compared(fewer, race(kept, cap=fewer.env_steps[-1], trained=0, first=ANEW))
    return found


def _compared(forecast, safe_at: float) -> list[Case]:
    return [
        Case(forecast.chance[at], forecast.low[at], forecast.high[at], safe_at <= forecast.env_steps[at] + 1e-6)
        for at in PLACES
    ]


def _is_safe(decision: Decision) -> bool:
    return decision.may_claim and decision.risk is not None and decision.risk <= SAFE


def _safe_at(problem: Problem, kept: Sequence[int], *, slots: int, cap: float, trained: int, first: int) -> float:
    """Env steps after which a race of these configs stops with a safe answer. first: seed of its first new run."""
    done = simulate(
        settings_of(problem, cap),
        len(kept),
        lambda config, seed: problem.scores(kept[config], seed if seed < trained else first + seed - trained),
        slots=slots,
        start=problem.start,
        trained=trained,
    )
    return done.record.spent if done.decision.stop is Stop.SAFE else inf


def means(of: Sequence[Case]) -> tuple[float, float]:
    """Mean forecast, and the share that was safe."""
    return float(np.mean([case.chance for case in of])), float(np.mean([case.is_safe for case in of]))


def calibration(of: Sequence[Case]) -> list[tuple[str, int, float, float]]:
    """By forecast: the range, cases, mean forecast, and the share that was safe."""
    rows = []
    for low, high in BINS:
        inside = [case for case in of if low <= case.chance < high]
        if inside:
            rows.append((f"{low:.0%} to {min(high, 1.0):.0%}", len(inside), *means(inside)))
    return rows
