"""ASHA over known scores: what it would train, without training anything."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from math import inf

from rlsweep.schedulers.asha import AshaRecord, AshaRun, AshaSettings, decide

Score = Callable[[int, int, int], float | None]
"""The score of (config, seed, rung), higher is better; None: the run fails on the way to the rung."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedAsha:
    """What was trained.

    record: all runs as they stand at the end
    cost: in whole runs: the shares of the budget that were trained, over all seeds
    length: time until the last run ended, where a whole run takes 1
    """

    record: AshaRecord
    cost: float
    length: float

    def reached(self, rung: int) -> int:
        """How many configs came to the rung."""
        return sum(all(len(run.scores) > rung for run in runs) for runs in self.record.configs)


def simulate(
    settings: AshaSettings,
    *,
    configs: int,
    slots: int,
    score: Score,
    seeds: int = 1,
    seconds: Callable[[int], float] = lambda _: 1.0,
    budget: float = inf,
) -> SimulatedAsha:
    """Run ASHA over known scores on so many slots.

    seconds: how long a whole run of a config takes; budget: in whole runs: nothing is begun that would pass it
    """
    runs = [[AshaRun() for _ in range(seeds)] for _ in range(configs)]
    queue: list[tuple[int, int]] = []
    training: list[tuple[float, int, int]] = []
    now = cost = 0.0
    while True:
        while len(training) < slots:
            if not queue:
                moves = decide(settings, _record(runs), free=slots - len(training)).moves
                for move in moves:
                    for seed, run in enumerate(runs[move.config]):
                        runs[move.config][seed] = replace(run, aim=move.rung)
                        queue.append((move.config, seed))
            if not queue:
                break
            config, seed = queue.pop(0)
            share = _share(settings, runs[config][seed])
            if cost + share > budget + 1e-9:
                runs[config][seed] = replace(runs[config][seed], aim=None)
                queue.clear()
                slots = 0
                break
            cost += share
            heappush(training, (now + share * seconds(config), config, seed))
        if not training:
            return SimulatedAsha(record=_record(runs), cost=cost, length=now)
        now, config, seed = heappop(training)
        run = runs[config][seed]
        found = score(config, seed, len(run.scores))
        scores = run.scores if found is None else (*run.scores, found)
        runs[config][seed] = AshaRun(scores=scores, has_failed=found is None)


def _record(runs: list[list[AshaRun]]) -> AshaRecord:
    return AshaRecord(configs=tuple(map(tuple, runs)))


def _share(settings: AshaSettings, run: AshaRun) -> float:
    """Of the budget, from where the run waits to its next rung."""
    done = len(run.scores)
    return settings.rungs[done] - (settings.rungs[done - 1] if done else 0.0)
