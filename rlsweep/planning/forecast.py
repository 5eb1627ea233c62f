"""Forecast a plan's env steps, memory and time from measurements of its environment and networks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from rlsweep.analysis.wording import duration, limits
from rlsweep.errors import InputError, RlsweepError, SlowEnvironmentError
from rlsweep.planning.endless import endless_warnings
from rlsweep.planning.estimate import (
    Estimate,
    Measurement,
    budget_warnings,
    estimate,
    evaluation_warnings,
    gpu_warnings,
)
from rlsweep.planning.measure import measuring
from rlsweep.planning.measurement_cache import read_cache, write_cache
from rlsweep.planning.plan import Plan

PROBE_SECONDS = 120.0
"""Time limit of the measuring child process, including its imports."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """A plan, the estimates of its trials, and warnings.

    estimates: one per trial, in the plan's order; None if the measurement failed
    warnings: the plan's warnings and those from the estimates
    measured_at: time of cached measurements; None for new ones
    facts: of the environment, as `environment_facts` has them
    has_outcomes: whether its episodes end with a win, a draw or a loss; None if that is not known
    """

    plan: Plan
    estimates: tuple[Estimate, ...] | None
    warnings: tuple[str, ...]
    measured_at: datetime | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    has_outcomes: bool | None = None


def forecast(plan: Plan, *, gpus_per_trial: float = 0.0) -> Forecast:
    """Measure in a child process, which plays the environment and times a minibatch, and estimate every trial.

    If trials use GPUs and this machine has none, the CPU is measured. Of an environment that takes too long there are
    no estimates, and a warning with its speed.

    Raises InputError if the environment cannot be made, another RlsweepError if playing it fails.
    """
    with _measuring(plan, gpus_per_trial) as wait_for_measurements:
        try:
            return make_forecast(plan, wait_for_measurements(), gpus_per_trial=gpus_per_trial)
        except SlowEnvironmentError as error:
            return _of_slow(plan, error)


@contextmanager
def forecasting(plan: Plan, cache: Path, *, gpus_per_trial: float = 0.0) -> Iterator[Callable[[], Forecast]]:
    """Measure while the context lasts. The context gives a function that waits for the forecast and returns it.

    It is the forecast of `forecast`, but with cached measurements of earlier plans if possible; `cache` is their file.

    GPUs are always measured, because their memory use depends on drivers, which are not part of the cache key. If the
    environment can be made but playing it fails, the forecast has a warning and no estimates; its trials record the
    error.
    """
    configs = [trial.config for trial in plan.trials]
    cached = None if gpus_per_trial else read_cache(cache, configs)
    if cached is not None:
        measured_at = min(each.at for each in cached)
        known = make_forecast(plan, [each.measurement for each in cached], measured_at=measured_at)
        yield lambda: known
    else:
        with _measuring(plan, gpus_per_trial) as wait_for_measurements:
            yield lambda: _forecast(plan, wait_for_measurements, cache, gpus_per_trial)


def _forecast(
    plan: Plan, wait_for_measurements: Callable[[], list[Measurement]], cache: Path, gpus_per_trial: float
) -> Forecast:
    try:
        measurements = wait_for_measurements()
    except InputError:
        raise
    except SlowEnvironmentError as error:
        return _of_slow(plan, error)
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
    """Estimate every trial from its measurement; `notes` are additional warnings."""
    estimates = [estimate(trial.config, each) for trial, each in zip(plan.trials, measurements, strict=True)]
    found = (
        *endless_warnings(plan, estimates),
        *budget_warnings(plan, estimates),
        *evaluation_warnings(plan, estimates),
        *gpu_warnings(estimates, gpus_per_trial),
    )
    return Forecast(
        plan=plan,
        estimates=tuple(estimates),
        warnings=(*plan.warnings, *found, *notes),
        measured_at=measured_at,
        facts={key: value for each in measurements for key, value in each.facts.items()},
        has_outcomes=measurements[0].has_outcomes,
    )


def _of_slow(plan: Plan, error: SlowEnvironmentError) -> Forecast:
    """What is known of an environment that is too slow to be measured: its speed, and with it the least time."""
    text = str(error)
    most = plan.trials[0].config.budget
    if most.total_timesteps is not None and most.episodes is None:
        least = duration(most.total_timesteps / error.steps_per_second)
        text += f" At that speed, a trial of {limits(most)} takes {least}, without its updates."
    return Forecast(plan=plan, estimates=None, warnings=(*plan.warnings, text))


def _measuring(plan: Plan, gpus_per_trial: float) -> AbstractContextManager[Callable[[], list[Measurement]]]:
    return measuring([trial.config for trial in plan.trials], gpus=gpus_per_trial > 0, timeout=PROBE_SECONDS)


def _write_cache(cache: Path, plan: Plan, measurements: Sequence[Measurement]) -> tuple[str, ...]:
    try:
        write_cache(cache, [trial.config for trial in plan.trials], measurements)
    except OSError as error:
        return (f"The measurement cache cannot be written: {error}",)
    return ()
