"""Learning curves of configs less that of another one, by equal seeds and at equal env steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rlsweep.analysis.curves import Floats
from rlsweep.analysis.paired import paired_band, paired_seeds
from rlsweep.config.nearest import suggestion
from rlsweep.errors import InputError
from rlsweep.reports.bands import BUCKETS_A_POINT, Grid, interval_text, smoothing_text
from rlsweep.reports.records import ConfigRuns, by_config
from rlsweep.runs import RunStatus, TrainingRun
from rlsweep.store.charts import Axis, bucket_sums, ends
from rlsweep.store.database import Database

AXIS = Axis.ENV_STEPS


@dataclass(frozen=True, kw_only=True, slots=True)
class DifferenceCurve:
    """One config less the other one.

    seeds: that both have, over which the mean is; mean, low, high: null where one of these runs has ended; low and high
        are null with one seed
    interval: what low and high are, in words; null where there is none
    """

    name: str
    seeds: int
    mean: list[float]
    low: list[float] | None
    high: list[float] | None
    interval: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DifferenceCurves:
    """to: the config that is taken off; is_base: whether that is the base config.

    x: env steps, the same for all curves; smoothing_text: what each point is the mean over
    configs: those that share a seed with the other one
    """

    to: str
    is_base: bool
    metric: str
    x: list[float]
    smoothing_text: str
    configs: tuple[DifferenceCurve, ...]


def difference_curves(
    database: Database,
    runs: Sequence[TrainingRun],
    metric: str,
    *,
    to: str,
    only: str | None,
    smoothing: float,
    points: int,
) -> DifferenceCurves:
    """Set each config, or `only` one, against the config `to`, which "" is the base config.

    metric: of an episode. Failed runs are left out, and paused ones where the config has others. Raises InputError for
    an unknown config, or where there is no base config.
    """
    configs = by_config(runs)
    other = _named(configs, to) if to else _base(configs)
    chosen = [_named(configs, only)] if only else [config for config in configs if config is not other]
    by_seed = {config.name: _runs_by_seed(config) for config in (*chosen, other)}
    end_of = ends(database, [run.id for seeds in by_seed.values() for run in seeds.values()], AXIS)
    end_of = {run_id: end for run_id, end in end_of.items() if end > 0}
    span = max(end_of.values(), default=0.0)
    width = smoothing * min(end_of.values(), default=0.0)
    grid = Grid(points=points, span=span, end_of=end_of)
    sums = bucket_sums(database, dict.fromkeys(end_of, span), metric, AXIS, BUCKETS_A_POINT * points)
    curves = {
        name: {seed: grid.curve(run.id, sums[run.id], width) for seed, run in seeds.items() if run.id in end_of}
        for name, seeds in by_seed.items()
    }
    found = (_curve(config.name, curves[config.name], curves[other.name]) for config in chosen)
    return DifferenceCurves(
        to=other.name,
        is_base=other.is_base,
        metric=metric,
        x=grid.x.tolist() if span else [],
        smoothing_text=smoothing_text(width, AXIS),
        configs=tuple(curve for curve in found if curve is not None),
    )


def _named(configs: Sequence[ConfigRuns], name: str) -> ConfigRuns:
    names = [config.name for config in configs]
    if name not in names:
        raise InputError(f"no config is called {name!r}{suggestion(name, names)}; there are {', '.join(names)}.")
    return configs[names.index(name)]


def _base(configs: Sequence[ConfigRuns]) -> ConfigRuns:
    base = next((config for config in configs if config.is_base), None)
    if base is None:
        raise InputError("there is no base config: name the config to compare with as `to`.")
    return base


def _runs_by_seed(config: ConfigRuns) -> dict[int, TrainingRun]:
    kept = [run for run in config.runs if run.status is not RunStatus.FAILED]
    went_on = [run for run in kept if run.status is not RunStatus.PAUSED]
    return {run.seed: run for run in went_on or kept}


def _curve(name: str, ours: Mapping[int, Floats], theirs: Mapping[int, Floats]) -> DifferenceCurve | None:
    over = paired_band(ours, theirs)
    if over is None:
        return None
    seeds = len(paired_seeds(ours, theirs))
    return DifferenceCurve(
        name=name,
        seeds=seeds,
        mean=over.mean.tolist(),
        low=None if over.low is None else over.low.tolist(),
        high=None if over.high is None else over.high.tolist(),
        interval=interval_text(over, seeds),
    )
