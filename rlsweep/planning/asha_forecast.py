"""What ASHA will take, before it is on record: simulated with random scores."""

from dataclasses import dataclass
from statistics import fmean

import numpy as np

from rlsweep.cluster.resources import Resources
from rlsweep.planning.forecast import Forecast
from rlsweep.planning.instances import environment_instances
from rlsweep.planning.scheduler import SchedulerPlan
from rlsweep.schedulers.asha import AshaSettings
from rlsweep.schedulers.simulated_asha import SimulatedAsha, simulate

REPETITIONS = 20
MOST_SIMULATED = 500
"""Of more configs the shares of so many are taken: they hardly change, and simulating more takes seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ForecastRung:
    """A rung.

    share: of the budget; env_steps, episodes: at which a run waits, None if unknown or not limited
    configs: expected to come to it, as a mean over simulations
    """

    share: float
    env_steps: int | None
    episodes: int | None
    configs: float


@dataclass(frozen=True, kw_only=True, slots=True)
class AshaForecast:
    """What ASHA is expected to take, beside the full grid: every config and seed to the end.

    rungs: from the lowest; env_steps, grid_env_steps: score evaluations included, of the grid one at the end of each
        run; None where nothing was measured
    seconds, grid_seconds: on all slots together; None if unknown
    """

    rungs: tuple[ForecastRung, ...]
    env_steps: float | None
    grid_env_steps: float | None
    seconds: float | None
    grid_seconds: float | None


def forecast_asha(scheduler: SchedulerPlan, found: Forecast, resources: Resources) -> AshaForecast:
    """Forecast a sweep with ASHA on this machine's slots."""
    settings = AshaSettings.from_json(scheduler.terms.settings)
    plan = scheduler.plan
    configs, trials = len(plan.labels), len(plan.trials)
    seeds = trials // configs
    slots = environment_instances(plan, resources).trials_at_once
    drawn = [_drawn(settings, min(configs, MOST_SIMULATED), seeds, slots, number) for number in range(REPETITIONS)]
    scale = configs / min(configs, MOST_SIMULATED)
    reached = [scale * fmean(each.reached(rung) for each in drawn) for rung in range(len(settings.rungs))]
    cost, length = (scale * fmean(getattr(each, name) for each in drawn) for name in ("cost", "length"))
    budget = plan.trials[0].config.budget
    evaluation = _evaluation_steps(scheduler, found)
    whole = _mean([each.nominal_env_steps for each in found.estimates or ()])
    counted = whole if budget.total_timesteps is None or budget.episodes is not None else budget.total_timesteps
    seconds = _mean([None if each.seconds is None else sum(each.seconds) / 2 for each in found.estimates or ()])
    return AshaForecast(
        rungs=tuple(
            ForecastRung(
                share=share,
                env_steps=None if counted is None else round(share * counted),
                episodes=None if budget.episodes is None else round(share * budget.episodes),
                configs=count,
            )
            for share, count in zip(settings.rungs, reached, strict=True)
        ),
        env_steps=None if whole is None else whole * cost + evaluation * seeds * sum(reached),
        grid_env_steps=None if whole is None else trials * (whole + evaluation),
        seconds=None if seconds is None else seconds * length,
        grid_seconds=None if seconds is None else seconds * trials / slots,
    )


def _drawn(settings: AshaSettings, configs: int, seeds: int, slots: int, number: int) -> SimulatedAsha:
    """One simulation: configs that keep their order from rung to rung but for some noise, and differ in speed."""
    rng = np.random.default_rng(number)
    truth, noise = rng.normal(size=configs), rng.normal(size=(configs, seeds, len(settings.rungs)))
    speed = rng.uniform(0.9, 1.1, size=configs)
    return simulate(
        settings,
        configs=configs,
        seeds=seeds,
        slots=slots,
        score=lambda config, seed, rung: float(truth[config] + 0.5 * noise[config, seed, rung]),
        seconds=lambda config: float(speed[config]),
    )


def _evaluation_steps(scheduler: SchedulerPlan, found: Forecast) -> float:
    """Env steps of one score evaluation; 0 where there is none, or its length is not known."""
    lengths = [each.episode_length for each in found.estimates or () if each.episode_length is not None]
    if scheduler.episodes is None or not lengths:
        return 0.0
    return scheduler.episodes.count * fmean(lengths)


def _mean(values: list[int | None] | list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None
