"""What a plan will take, from measurements of its environment and networks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rlsweep.errors import InputError, RlsweepError
from rlsweep.planning.estimate import Estimate, Measurement, budget_warnings, estimate, gpu_warnings
from rlsweep.planning.measure import measure_configs
from rlsweep.planning.measurement_cache import read_cache, write_cache
from rlsweep.planning.plan import Plan

PROBE_SECONDS = 120.0
"""How long the measuring child process may take, its imports included."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """A plan, what its trials will take, and what to know before.

    estimates: one for each trial, in the plan's order; None where it could not be measured
    warnings: the plan's own, and those that follow from the estimates
    measured_at: when, if measurements of an earlier plan were taken; None for measurements made now
    """

    plan: Plan
    estimates: tuple[Estimate, ...] | None
    warnings: tuple[str, ...]
    measured_at: datetime | None = None


def forecast(plan: Plan, *, gpus_per_trial: float = 0.0) -> Forecast:
    """Measure by a child process that plays the environment and times a minibatch, and estimate every trial.

    Where trials have GPUs and this machine has none, it is measured without.

    Raises InputError where the environment cannot be made, another RlsweepError where playing it fails.
    """
    return make_forecast(plan, _measure(plan, gpus_per_trial), gpus_per_trial=gpus_per_trial)


def forecast_from_cache(plan: Plan, cache: Path, *, gpus_per_trial: float = 0.0) -> Forecast:
    """As `forecast`, by what was measured for the last sweeps where that will do; `cache` is the file that holds it.

    GPUs are measured every time, for what they take depends on drivers, which no package here knows of. An environment
    that can be made but fails when played is for its trials to record: it is left without estimates and warned of.
    """
    configs = [trial.config for trial in plan.trials]
    cached = None if gpus_per_trial else read_cache(cache, configs)
    if cached is not None:
        measured_at = min(each.at for each in cached)
        return make_forecast(plan, [each.measurement for each in cached], measured_at=measured_at)
    try:
        measurements = _measure(plan, gpus_per_trial)
    except InputError:
        raise
    except RlsweepError as error:
        return Forecast(plan=plan, estimates=None, warnings=(*plan.warnings, str(error)))
    notes = () if gpus_per_trial else _write_cache(cache, plan, measurements)
    return make_forecast(plan, measurements, gpus_per_trial=gpus_per_trial, notes=notes)


def make_forecast(
    plan: Plan,
    measurements: Sequence[Measurement],
    *,
    gpus_per_trial: float = 0.0,
    measured_at: datetime | None = None,
    notes: Sequence[str] = (),
) -> Forecast:
    """Estimate every trial from a measurement for each; `notes` are warnings beside those that follow from it."""
    estimates = [estimate(trial.config, each) for trial, each in zip(plan.trials, measurements, strict=True)]
    found = (*budget_warnings(plan, estimates), *gpu_warnings(estimates, gpus_per_trial))
    return Forecast(
        plan=plan, estimates=tuple(estimates), warnings=(*plan.warnings, *found, *notes), measured_at=measured_at
    )


def _measure(plan: Plan, gpus_per_trial: float) -> list[Measurement]:
    return measure_configs([trial.config for trial in plan.trials], gpus=gpus_per_trial > 0, timeout=PROBE_SECONDS)


def _write_cache(cache: Path, plan: Plan, measurements: Sequence[Measurement]) -> tuple[str, ...]:
    try:
        write_cache(cache, [trial.config for trial in plan.trials], measurements)
    except OSError as error:
        return (f"Measurements cannot be kept for the next sweep: {error}",)
    return ()
