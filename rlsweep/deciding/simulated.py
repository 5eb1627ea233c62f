"""A whole race over scores that are known beforehand: for forecasts, tests and benchmarks. No training, no clock."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from rlsweep.deciding.race import decide
from rlsweep.deciding.records import Decision, InFlight, Move, RaceRecord, RaceSettings, SeedScores

Scores = Callable[[int, int], tuple[float, float]]
"""(config, seed) → its scores at the rung and at the end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedRace:
    """What a race came to.

    decision: the last one; record: what it was made from
    runs: that were started; length: env steps from start to end, side by side
    decisions: all of them, with the record and the free slots that each was made from, where they were to be kept
    """

    decision: Decision
    record: RaceRecord
    runs: int
    length: float
    decisions: tuple[tuple[RaceRecord, int, Decision], ...]


def simulate(
    settings: RaceSettings,
    configs: int,
    scores: Scores,
    *,
    slots: int,
    start: float,
    trained: int = 0,
    draw: Callable[[RaceRecord], None] = lambda _: None,
    keeps_decisions: bool = False,
) -> SimulatedRace:
    """Race to the stop. Runs take as long as they cost; a decision is asked for whenever a slot is free.

    draw: called for each config that is drawn while the race runs, with the record and what is drawn already
    trained: whole runs of each config that are there at the beginning, and cost nothing
    """
    known: list[list[SeedScores]] = [[] for _ in range(configs)]
    for config, seed in product(range(configs), range(trained)):
        rung, full = scores(config, seed)
        known[config].append(SeedScores(rung=rung, full=full))
    flights: list[Move] = []
    ends: list[tuple[float, int, Move]] = []
    now, spent, started = 0.0, 0.0, 0
    kept = []
    while True:
        record = RaceRecord(
            scores=tuple(tuple(seeds) for seeds in known),
            in_flight=tuple(InFlight(config=each.config, seed=each.seed, to_end=each.to_end) for each in flights),
            start=start,
            spent=spent,
        )
        free = slots - len(flights)
        decision = decide(settings, record, free=free)
        if keeps_decisions:
            kept.append((record, free, decision))
        if decision.stop is not None:
            break
        for move in decision.moves:
            if move.config == len(known):
                draw(record)
                known.append([])
            flights.append(move)
            heapq.heappush(ends, (now + move.cost, started, move))
            started += 1
        now, _, ended = heapq.heappop(ends)
        flights.remove(ended)
        spent += ended.cost
        _write(known[ended.config], ended, scores(ended.config, ended.seed))
    runs = sum(each.rung is not None or each.full is not None for seeds in known for each in seeds)
    return SimulatedRace(decision=decision, record=record, runs=runs, length=now, decisions=tuple(kept))


def _write(seeds: list[SeedScores], ended: Move, scores: tuple[float, float]) -> None:
    """Put the scores of a run that ended on record."""
    rung, full = scores
    while len(seeds) <= ended.seed:
        seeds.append(SeedScores(rung=None, full=None))
    seeds[ended.seed] = SeedScores(rung=rung, full=full if ended.to_end else None)
