"""What a race will take, before it is on record."""

from dataclasses import dataclass

from rlsweep.deciding import forecast as deciding_forecast
from rlsweep.deciding.records import RaceSettings
from rlsweep.planning.forecast import Forecast
from rlsweep.planning.race import RUNG, RacePlan, planned_costs
from rlsweep.race_records import SEEDS_OF_GRID


@dataclass(frozen=True, kw_only=True, slots=True)
class RaceAmount:
    """runs: begun; env_steps: with their score evaluations; seconds: on all slots together, None if unknown."""

    runs: int
    env_steps: float
    seconds: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RaceForecast:
    """What a race will take, beside every config with five seeds.

    amounts: by name, least, likely, greatest and grid: runs, env steps, and seconds on the slots, None if unknown
    checkpoint_bytes: at most, of all runs: each keeps its checkpoints, paused ones too
    """

    amounts: dict[str, RaceAmount]
    checkpoint_bytes: int


def forecast_race(race: RacePlan, forecast: Forecast, *, slots: int) -> RaceForecast | None:
    """Forecast a race on so many slots; None where nothing was measured."""
    estimates = forecast.estimates
    if not estimates or any(each.nominal_env_steps is None for each in estimates):
        return None
    configs = len(race.plan.labels)
    wanted = configs + race.plan.to_draw
    run, rung = planned_costs(race, estimates)
    settings = RaceSettings(
        tolerance=race.tolerance,
        confidence=race.confidence,
        cap=race.cap * SEEDS_OF_GRID * wanted * run,
        configs=wanted,
        run_cost=run,
        rung_cost=rung,
        rung=RUNG,
    )
    found = deciding_forecast.forecast(settings, configs, slots=slots)
    times = [each.seconds for each in estimates if each.seconds is not None]
    per_step = sum(sum(each) / 2 for each in times) / len(times) / run if times else None
    amounts = {}
    for name in ("least", "likely", "greatest", "grid"):
        amount = getattr(found, name)
        seconds = None if per_step is None else per_step * amount.length
        amounts[name] = RaceAmount(runs=amount.runs, env_steps=amount.env_steps, seconds=seconds)
    largest = max(each.checkpoint_bytes for each in estimates)
    return RaceForecast(amounts=amounts, checkpoint_bytes=found.greatest.runs * largest)
