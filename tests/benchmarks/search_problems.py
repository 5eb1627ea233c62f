"""What benchmarks search: spaces whose every config has a known true score, noise of seeds, and learning curves.

Synthetic ones, and recorded tables where a file of curves and one of their configs are given: a draw is then the
nearest recorded config.
"""

import gzip
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from race_families import POINTS, recorded_curves

from rlsweep.config.given import GivenConfig
from rlsweep.spaces.dimensions import Dimension, Kind
from rlsweep.spaces.expressions import read_condition
from rlsweep.spaces.space import SearchSpace

Floats = NDArray[np.float64]
Values = Mapping[str, Any]
Curve = Callable[[float], float]
"""Share of the budget → score there: mean of the last fifth so far."""


@dataclass(frozen=True)
class SearchProblem:
    """truth: expected score of a config at the end; curve: of one run of it; base: values of the base config."""

    space: SearchSpace
    base: Values
    truth: Callable[[Values], float]
    curve: Callable[[Values, np.random.Generator], Curve]
    tolerance: float
    start: float


Family = Callable[[np.random.Generator], SearchProblem]

NOISE = 0.05
START = 0.2
RANGE = 0.65


def _dimension(key: str, kind: Kind, **more: Any) -> Dimension:
    when = more.pop("when", None)
    return Dimension(key=key, kind=kind, when=None if when is None else read_condition(when, str), **more)


_DIMENSIONS = (
    _dimension("rate", Kind.LOG, low=1e-5, high=1e-2),
    _dimension("gamma", Kind.UNIFORM, low=0.9, high=0.999),
    _dimension("epochs", Kind.INTEGER, low=1, high=20),
    _dimension("entropy", Kind.LOG, low=1e-4, high=1e-1, extra=(0.0,)),
    _dimension("net", Kind.CHOICE, choices=("small", "middle", "large")),
    _dimension("limit", Kind.CHOICE, choices=(0.01, 0.03), when="epochs > 10"),
)
_BASE = {"rate": 3e-4, "gamma": 0.99, "epochs": 10, "entropy": 0.01, "net": "middle", "limit": None}


def _space(dimensions: tuple[Dimension, ...]) -> SearchSpace:
    return SearchSpace(
        source="benchmark", base=GivenConfig("base", {}), sampler="sobol", configs=None, seed=0, dimensions=dimensions,
        constraints=(),
    )  # fmt: skip


def unit(dimension: Dimension, value: Any) -> float:
    """Where a value lies in its range, 0 to 1; of a choice its number."""
    if dimension.kind is Kind.CHOICE:
        return float(dimension.choices.index(value)) if value in dimension.choices else 0.0
    if dimension.extra and value == dimension.extra[0]:
        return 0.0
    if dimension.kind.is_log:
        low, high, value = math.log(dimension.low), math.log(dimension.high), math.log(value)
    else:
        low, high = dimension.low, dimension.high
    return float(np.clip((value - low) / (high - low), 0, 1))


def _synthetic(rng: np.random.Generator, of_unit: Callable[[dict[str, float], Values], float]) -> SearchProblem:
    """of_unit: from where the values lie in their ranges to a score, 1 for the best and 0 for what learns nothing."""

    def share_of(values: Values) -> float:
        where = {each.key: unit(each, values[each.key]) for each in _DIMENSIONS}
        return float(np.clip(of_unit(where, values), 0.0, 1.0))

    def truth(values: Values) -> float:
        return START + RANGE * share_of(values)

    def curve(values: Values, seed: np.random.Generator) -> Curve:
        share = share_of(values)
        full = START + RANGE * share + NOISE * math.sqrt(share + 0.1) * seed.standard_normal()
        pace = 1 + 3 * unit(_DIMENSIONS[0], values["rate"]) + 0.3 * seed.standard_normal()
        wobble = 0.02 * seed.standard_normal(1001)

        def at(part: float) -> float:
            risen = (1 - math.exp(-max(0.2, pace) * part)) / (1 - math.exp(-max(0.2, pace)))
            return float(START + (full - START) * risen + (wobble[round(1000 * part)] if part < 1 else 0.0))

        return at

    return SearchProblem(_space(_DIMENSIONS), _BASE, truth, curve, tolerance=0.03, start=START)


def bowl(rng: np.random.Generator) -> SearchProblem:
    """One best point; keys matter differently, the rate most."""
    best = rng.uniform(0.2, 0.8, 4)
    net = rng.permutation([0.0, 0.05, 0.15])

    def of(where: dict[str, float], values: Values) -> float:
        away = np.array([where["rate"], where["gamma"], where["epochs"], where["entropy"]]) - best
        return float(1.0 - 3.0 * away[0] ** 2 - 0.8 * away[1] ** 2 - 0.4 * away[2] ** 2 - 0.2 * away[3] ** 2) - float(
            net[int(where["net"])]
        )

    return _synthetic(rng, of)


def ridge(rng: np.random.Generator) -> SearchProblem:
    """Rate and epochs trade off against each other; entropy helps, and 0 is bad."""
    best, slope = rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.8)

    def of(where: dict[str, float], values: Values) -> float:
        across = where["rate"] - best + slope * (where["epochs"] - 0.5)
        along = where["epochs"] - 0.5
        return float(
            1.0 - 5.0 * across**2 - 0.3 * along**2 - 0.6 * (where["gamma"] - 0.8) ** 2
            - (0.25 if values["entropy"] == 0.0 else 0.0)
        )  # fmt: skip

    return _synthetic(rng, of)


def narrow(rng: np.random.Generator) -> SearchProblem:
    """Most configs learn little: the good ones lie in a small part of two ranges."""
    best = rng.uniform(0.15, 0.85, 2)

    def of(where: dict[str, float], values: Values) -> float:
        away = (where["rate"] - best[0]) ** 2 + (where["gamma"] - best[1]) ** 2
        return 0.25 + 0.75 * math.exp(-away / (2 * 0.15**2)) - 0.05 * where["net"]

    return _synthetic(rng, of)


def cliff(rng: np.random.Generator) -> SearchProblem:
    """The larger the rate the better, until training breaks down; a short limit saves it."""
    edge = rng.uniform(0.45, 0.75)

    def of(where: dict[str, float], values: Values) -> float:
        reach = edge + (0.1 if values["limit"] == 0.01 else 0.0)
        rate = where["rate"]
        height = 0.3 + 0.6 * rate / reach if rate <= reach else 0.1
        return float(height + 0.1 * (1 - (where["gamma"] - 0.7) ** 2) - 0.05 * abs(where["entropy"] - 0.5))

    return _synthetic(rng, of)


FAMILIES: dict[str, Family] = {family.__name__: family for family in (bowl, ridge, narrow, cliff)}


@dataclass(frozen=True)
class RecordedTable:
    """curves: (configs, seeds, 10 points), scaled; configs: their values by key; where: those as points."""

    space: SearchSpace
    configs: list[dict[str, Any]]
    curves: Floats
    where: Floats


@cache
def recorded_tables(curves: Path, configs: Path) -> dict[str, RecordedTable]:
    """The tables of a file of curves, with their configs of a JSON file, by name."""
    packed = configs.read_bytes()
    of_file = json.loads(gzip.decompress(packed) if configs.suffix == ".gz" else packed)
    with np.load(curves) as file:
        complete = {name: np.isfinite(file[name]).all(axis=(1, 2)) for name in file.files}
    found = {}
    for name, table in recorded_curves(curves).items():
        kept = [each for each, is_kept in zip(of_file[name]["configs"], complete[name], strict=True) if is_kept]
        dimensions = tuple(_of_values(key, [each[key] for each in kept]) for key in sorted(kept[0]))
        dimensions = tuple(each for each in dimensions if each.count != 1)
        where = np.array([_point(dimensions, each) for each in kept])
        found[name] = RecordedTable(_space(dimensions), kept, table, where)
    return found


def _of_values(key: str, values: list[Any]) -> Dimension:
    known = sorted(set(values))
    if len(known) <= 5 or isinstance(known[0], bool):
        return _dimension(key, Kind.CHOICE, choices=tuple(known))
    low, high = float(known[0]), float(known[-1])
    return _dimension(key, Kind.LOG if low > 0 and high / low > 100 else Kind.UNIFORM, low=low, high=high)


def _point(dimensions: tuple[Dimension, ...], values: Values) -> list[float]:
    """Of a choice one coordinate a value, so that all choices are equally far from one another."""
    point: list[float] = []
    for each in dimensions:
        if each.kind is Kind.CHOICE:
            point += [math.sqrt(0.5) * (values[each.key] == choice) for choice in each.choices]
        else:
            point.append(unit(each, values[each.key]))
    return point


def of_table(table: RecordedTable, rng: np.random.Generator) -> SearchProblem:
    """A search in a recorded table; one of its configs is the base."""
    base = table.configs[int(rng.integers(len(table.configs)))]
    means = table.curves[..., POINTS - 2 :].mean((1, 2))

    def nearest(values: Values) -> int:
        away = table.where - np.array(_point(table.space.dimensions, values))
        return int(np.argmin((away**2).sum(1)))

    def curve(values: Values, seed: np.random.Generator) -> Curve:
        run = table.curves[nearest(values), int(seed.integers(table.curves.shape[1]))]

        def at(part: float) -> float:
            last = max(1, round(part * POINTS))
            return (
                float(run[max(0, last - max(1, last // 3)) : last].mean()) if last < POINTS else float(run[-2:].mean())
            )

        return at

    return SearchProblem(
        table.space, base, lambda values: float(means[nearest(values)]), curve, tolerance=0.1, start=0.0
    )
