"""The opening of a race: what is trained before anything is weighed.

1  the first seed of every config, to the rung
2  of those the best go on to the end; all do where the rung shows next to nothing, most being at the starting level
3  the first seed of each config that is still to be drawn, to the rung: steps 1 and 2 have shown where to draw it
4  a second seed of the best finished configs

It is asked whenever slots are free. So a step begins before the last one has ended, with the runs that it will most
likely take, judged by their place among the scores that are there.
"""

from collections.abc import Sequence
from math import ceil, inf
from statistics import fmean

from rlsweep.deciding.caveats import AT_START, MOST
from rlsweep.deciding.records import Move, RaceSettings
from rlsweep.deciding.standing import Standing, move_to_end


def opening_moves(settings: RaceSettings, standing: Standing) -> list[Move]:
    """What the opening still demands, first things first; empty where all of it is trained or in flight."""
    return [
        *_first_seeds(settings, standing),
        *_rest_of_the_best(settings, standing),
        *_draws(settings, standing),
        *_second_seeds(settings, standing),
    ]


def kept_of(settings: RaceSettings, configs: int) -> int:
    """How many of so many configs go on from the rung."""
    return min(configs, max(settings.fewest_kept, ceil(settings.keep * configs - 1e-9)))


def _first_seeds(settings: RaceSettings, standing: Standing) -> list[Move]:
    untouched = [index for index, config in enumerate(standing.configs) if config.is_untouched]
    if not standing.has_rungs or settings.rung >= 1:
        return [move_to_end(settings, standing, index, worth=inf) for index in untouched]
    cost = settings.rung_cost
    return [Move(config=index, seed=0, to_end=False, cost=cost, worth=inf) for index in untouched]


def _draws(settings: RaceSettings, standing: Standing) -> list[Move]:
    """The configs to draw."""
    first = len(standing.configs)
    to_end = not standing.has_rungs or settings.rung >= 1
    cost = settings.run_cost if to_end else settings.rung_cost
    return [
        Move(config=index, seed=0, to_end=to_end, cost=cost, worth=inf)
        for index in range(first, first + standing.to_draw)
    ]


def _rest_of_the_best(settings: RaceSettings, standing: Standing) -> list[Move]:
    """The waiting configs whose place at the rung is, or most likely will be, among those that go on."""
    known = {index: fmean(config.rung) for index, config in enumerate(standing.configs) if config.rung}
    to_come = sum(not config.rung and not config.full for config in standing.configs)
    is_blind = to_come == 0 and _are_most_at_start(known, standing.start)
    kept = len(known) if is_blind else kept_of(settings, len(known) + to_come)
    return [
        move_to_end(settings, standing, index, worth=inf)
        for place, index in enumerate(_best_first(known))
        if _place_to_expect(place, len(known), to_come) < kept and not standing.configs[index].is_going_on
    ]


def _second_seeds(settings: RaceSettings, standing: Standing) -> list[Move]:
    """Another seed of the finished configs that have one, and are, or most likely will be, among the best."""
    known = {index: fmean(config.full) for index, config in enumerate(standing.configs) if config.full}
    to_come = sum(not config.full and config.to_end > 0 for config in standing.configs)
    return [
        move_to_end(settings, standing, index, worth=inf)
        for place, index in enumerate(_best_first(known))
        if _place_to_expect(place, len(known), to_come) < settings.second_seeds
        and len(standing.configs[index].full) + standing.configs[index].to_end < 2
    ]


def _are_most_at_start(rungs: dict[int, float], start: float) -> bool:
    """Whether most configs have learned nothing up to the rung, so that their places there are chance."""
    way = max(rungs.values(), default=start) - start
    return sum(rung - start <= AT_START * way for rung in rungs.values()) >= MOST * len(rungs)


def _best_first(scores: dict[int, float]) -> Sequence[int]:
    return sorted(scores, key=lambda index: (-scores[index], index))


def _place_to_expect(place: int, known: int, to_come: int) -> float:
    """The place, from 0, of what has this place among the known scores, once so many others are known as well.

    Each of those is as likely to fall into any of the gaps between the known ones.
    """
    return place + to_come * (place + 1) / (known + 1)
