"""Ways to search a space, at the cost of what they train: each gives its pick whenever that changes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from search_problems import Curve, SearchProblem, Values

from rlsweep.deciding.known_scores import known_scores
from rlsweep.deciding.records import RaceRecord, RaceSettings, Tolerance
from rlsweep.deciding.simulated import simulate
from rlsweep.spaces.adaptive import KnownConfig, draw_next
from rlsweep.spaces.search import Search
from rlsweep.spaces.space import SearchSpace

SLOTS = 4


@dataclass(frozen=True)
class Size:
    """configs, seeds: of a search in which every config has these seeds; its runs are what all methods may train."""

    configs: int
    seeds: int

    @property
    def runs(self) -> int:
        return self.configs * self.seeds


Track = list[tuple[float, float]]
"""(cost in whole runs, true score of the pick from then on)."""

Method = Callable[[SearchProblem, int, Size], Track]
"""(problem, repetition, size) → its track."""


class Drawn:
    """The configs of one search, and the runs of each."""

    def __init__(self, problem: SearchProblem, repetition: int, sampler: str, configs: int) -> None:
        self.problem = problem
        self.space: SearchSpace = replace(problem.space, sampler=sampler, seed=repetition, configs=configs)
        self.values: list[Values] = [problem.base]
        self._repetition = repetition
        self._variants: list[str | None] = [None]
        self._curves: dict[tuple[int, int], Curve] = {}
        self._evenly = Search(self.space, problem.base)

    def draw_evenly(self) -> None:
        """Draw by the sampler, of an adaptive one evenly."""
        drawn = self._evenly.next()
        assert drawn is not None
        self._add({**self.problem.base, **drawn.values}, drawn.variant)

    def draw(self, scores: list[float | None]) -> None:
        """Draw from what is known."""
        known = [
            KnownConfig(variant=variant, values=values, score=score)
            for variant, values, score in zip(self._variants, self.values, scores, strict=True)
        ]
        drawn = draw_next(self.space, known)
        assert drawn is not None
        self._add({**self.problem.base, **drawn.values}, drawn.variant)

    def _add(self, values: dict[str, Any], variant: str) -> None:
        self.values.append(values)
        self._variants.append(variant)

    def at(self, config: int, seed: int, share: float) -> float:
        """The score of a run at a share of its budget."""
        while config >= len(self.values):
            self.draw_evenly()
        key = (config, seed)
        if key not in self._curves:
            rng = np.random.default_rng((self._repetition, config, seed))
            self._curves[key] = self.problem.curve(self.values[config], rng)
        return self._curves[key](share)

    def truth(self, config: int) -> float:
        return self.problem.truth(self.values[config])


def with_seeds(sampler: str) -> Method:
    """Every config with all seeds, one config after the other; the best mean."""

    def run(problem: SearchProblem, repetition: int, size: Size) -> Track:
        drawn = Drawn(problem, repetition, sampler, size.configs)
        means: list[float | None] = []
        track: Track = []
        for config in range(size.configs):
            if 0 < config < drawn.space.first:
                drawn.draw_evenly()
            elif config:
                drawn.draw(means)
            means.append(float(np.mean([drawn.at(config, seed, 1.0) for seed in range(size.seeds)])))
            best = max(range(config + 1), key=lambda index: means[index] or 0.0)
            track.append(((config + 1.0) * size.seeds, drawn.truth(best)))
        return track

    return run


def in_race(sampler: str) -> Method:
    """`rlsweep race` of such a space: configs join at its rung."""

    def run(problem: SearchProblem, repetition: int, size: Size) -> Track:
        drawn = Drawn(problem, repetition, sampler, size.configs)
        while len(drawn.values) < drawn.space.first:
            drawn.draw_evenly()
        tolerance = Tolerance(value=problem.tolerance, is_share=False)
        settings = RaceSettings(tolerance=tolerance, cap=size.runs, configs=size.configs, run_cost=1.0, rung_cost=0.5)

        def draw(record: RaceRecord) -> None:
            scores = list(known_scores(settings, record))
            drawn.draw([*scores, *[None] * (len(drawn.values) - len(scores))])

        done = simulate(
            settings,
            drawn.space.first,
            lambda config, seed: (drawn.at(config, seed, 0.5), drawn.at(config, seed, 1.0)),
            slots=SLOTS,
            start=problem.start,
            draw=draw,
            keeps_decisions=True,
        )
        return [
            (record.spent, drawn.truth(decision.leader))
            for record, _, decision in done.decisions
            if decision.leader is not None
        ]

    return run


def at_costs(track: Track, costs: list[float], before: float) -> list[float]:
    """The true score of the pick at each cost; `before`: of what is taken without any."""
    found = []
    for cost in costs:
        known = [truth for spent, truth in track if spent <= cost + 1e-9]
        found.append(known[-1] if known else before)
    return found
