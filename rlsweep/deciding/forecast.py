"""How many runs and env steps a race will take, said before anything is trained."""

from dataclasses import dataclass, replace
from math import ceil, floor
from statistics import median

import numpy as np

from rlsweep.deciding.opening import kept_of
from rlsweep.deciding.records import RaceSettings, Tolerance
from rlsweep.deciding.simulated import Scores, simulate
from rlsweep.race_records import SEEDS_OF_GRID

RACES = 5
MOST_CONFIGS = 32
"""Of a synthetic race; for more configs its figures are scaled up, so that a forecast takes at most about a second."""

SEEDS = 200
"""Drawn for each config of a synthetic race."""

SEED_SD = 0.17
"""Standard deviation over seeds among good configs, as a share of the way from the starting level to the best: the
median of published learning curves (ARLBench; Becktepe et al. 2024, arXiv 2409.18827)."""

USUAL_TOLERANCE = 0.1
"""Share of that way which stands for a tolerance in units of the score, whose range is not known yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Amount:
    """runs: started; env_steps: with their score evaluations; length: env steps that the busiest slot trains."""

    runs: int
    env_steps: float
    length: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """What a race takes.

    least: the opening settles it
    likely: the median of a few synthetic races
    greatest: the cap is reached, by new runs alone, and the last run starts when all other slots end
    grid: every config with five seeds in full, for comparison
    """

    least: Amount
    likely: Amount
    greatest: Amount
    grid: Amount


def forecast(settings: RaceSettings, configs: int, *, slots: int) -> Forecast:
    """What a race of so many configs on so many slots takes, with those that it is to draw; the same each time."""
    rest = settings.run_cost - settings.rung_cost
    likely = _likely(settings, configs, slots)
    configs = max(configs, settings.configs)
    kept = kept_of(settings, configs)
    first = configs * settings.rung_cost + kept * rest
    more = min(settings.second_seeds, kept) + max(0, settings.fewest_seeds - 2)
    least = min(first + more * settings.run_cost, settings.cap)
    new_runs = max(0, floor((settings.cap - first) / settings.run_cost))
    grid = SEEDS_OF_GRID * configs
    longest = max(settings.cap / slots + settings.run_cost, likely.length)
    return Forecast(
        least=Amount(runs=configs + min(more, new_runs), env_steps=least, length=least / slots),
        likely=likely,
        greatest=Amount(runs=configs + new_runs, env_steps=settings.cap, length=longest),
        grid=Amount(runs=grid, env_steps=grid * settings.run_cost, length=grid * settings.run_cost / slots),
    )


def _likely(settings: RaceSettings, configs: int, slots: int) -> Amount:
    wanted = max(configs, settings.configs)
    raced = min(wanted, MOST_CONFIGS)
    scale = wanted / raced
    begins_with = ceil(configs / scale)
    share = settings.tolerance.value if settings.tolerance.is_share else USUAL_TOLERANCE
    tolerance = Tolerance(value=share, is_share=True)
    usual = replace(settings, tolerance=tolerance, cap=settings.cap / scale, configs=raced)
    races = [
        simulate(usual, begins_with, _synthetic_scores(raced, number), slots=slots, start=0.0)
        for number in range(RACES)
    ]
    return Amount(
        runs=round(scale * median(race.runs for race in races)),
        env_steps=scale * median(race.record.spent for race in races),
        length=scale * median(race.length for race in races),
    )


def _synthetic_scores(configs: int, number: int) -> Scores:
    """Configs from the starting level, 0, to the best, 1, fewer of them near it; the rung shows most of the end."""
    rng = np.random.default_rng(number)
    truth = rng.permutation(np.linspace(0.0, 1.0, configs)) ** 2
    full = truth[:, np.newaxis] + SEED_SD * rng.standard_normal((configs, SEEDS))
    pace = 0.7 + 0.15 * rng.standard_normal((configs, 1))
    rung = pace * full + 0.5 * SEED_SD * rng.standard_normal((configs, SEEDS))
    return lambda config, seed: (float(rung[config, seed % SEEDS]), float(full[config, seed % SEEDS]))
