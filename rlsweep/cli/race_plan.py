"""What a race will take, on a screen and as JSON."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rlsweep.analysis.wording import duration, number, percent
from rlsweep.cli.output import size
from rlsweep.planning.race import RacePlan

if TYPE_CHECKING:
    from rich.console import Console

    from rlsweep.planning.race_forecast import RaceForecast

_AMOUNTS = {"least": "at least", "likely": "likely", "greatest": "at most", "grid": "every config × 5 seeds"}


def print_race(race: RacePlan, forecast: "RaceForecast | None", out: "Console") -> None:
    """Print what the race is asked for, how scores are evaluated, and what it will take, beside the full grid."""
    from rich.table import Table

    for line in race_lines(race):
        out.print(line, markup=False, soft_wrap=True)
    if forecast is None:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("race", "runs", "env steps", "time"):
        table.add_column(heading, justify="left" if heading == "race" else "right", no_wrap=True)
    for name, amount in forecast.amounts.items():
        time = "unknown" if amount.seconds is None else duration(amount.seconds)
        table.add_row(_AMOUNTS[name], f"{amount.runs:,}", number(amount.env_steps), time)
    out.print(table)
    kept = size(forecast.checkpoint_bytes)
    text = f"Checkpoints of all its runs, those that stay paused included, take {kept} at most."
    out.print(text, markup=False, soft_wrap=True)


def race_lines(race: RacePlan) -> list[str]:
    """What the race is asked for, and how its runs are evaluated."""
    tolerance = race.tolerance
    what = f"{percent(tolerance.value)} of the way from the start to the best config"
    within = what if tolerance.is_share else number(tolerance.value)
    objective = race.objective.value.replace("_", " ")
    lines = [
        f"Race by {objective} ({race.statistic} over seeds): to within {within}, with {percent(race.confidence)} "
        f"confidence, for at most {percent(race.cap)} of the env steps of the full grid."
    ]
    if race.episodes is not None:
        lines.append(f"Each run is evaluated at half of its budget and at its end. {race.episodes.reason}")
    return lines


def race_as_json(race: RacePlan, forecast: "RaceForecast | None") -> dict[str, Any]:
    """All that `print_race` shows."""
    return {
        "objective": race.objective.value,
        "over_seeds": race.statistic.value,
        "tolerance": race.tolerance.value,
        "tolerance_is_share": race.tolerance.is_share,
        "confidence": race.confidence,
        "cap": race.cap,
        "score_episodes": None if race.episodes is None else race.episodes.count,
        "score_episodes_reason": None if race.episodes is None else race.episodes.reason,
        "forecast": None if forecast is None else {name: asdict(amount) for name, amount in forecast.amounts.items()},
        "checkpoint_bytes": None if forecast is None else forecast.checkpoint_bytes,
    }
