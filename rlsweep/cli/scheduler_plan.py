"""What a sweep with a scheduler will take, on a screen and as JSON."""

from typing import TYPE_CHECKING, Any

from rlsweep.analysis.wording import duration, listed, number, percent, plural
from rlsweep.cluster.resources import Resources
from rlsweep.jsonable import jsonable
from rlsweep.planning.forecast import Forecast
from rlsweep.planning.scheduler import SchedulerPlan
from rlsweep.scheduler_records import SchedulerKind
from rlsweep.schedulers.pbt_records import PbtSettings

if TYPE_CHECKING:
    from rich.console import Console

    from rlsweep.planning.asha_forecast import AshaForecast


def print_scheduler(scheduler: SchedulerPlan, found: Forecast, out: "Console", resources: Resources | None) -> None:
    """Print what the scheduler is asked for, and what it will take.

    resources: of the trials, where they run on this machine; None if that is not known yet
    """
    for line in scheduler_lines(scheduler):
        out.print(line, markup=False, soft_wrap=True)
    if scheduler.terms.kind is SchedulerKind.ASHA:
        _print_asha(_forecast(scheduler, found, resources), out, on_this_machine=resources is not None)


def scheduler_lines(scheduler: SchedulerPlan) -> list[str]:
    """What the scheduler is asked for, and how runs are evaluated."""
    settings, objective = scheduler.terms.settings, scheduler.objective.words
    lines = []
    if scheduler.terms.kind is SchedulerKind.ASHA:
        rungs, reduction = len(settings["rungs"]), settings["reduction"]
        lines.append(
            f"ASHA by {objective} (mean over seeds): each config waits at {rungs} rungs, and the best 1/{reduction} of "
            "those at a rung train on."
        )
    if scheduler.terms.kind is SchedulerKind.PBT:
        lines.append(_population_line(scheduler))
    if scheduler.episodes is not None:
        where = "at each rung" if scheduler.terms.kind is SchedulerKind.ASHA else "at each pause"
        lines.append(f"Each run is evaluated {where}. {scheduler.episodes.reason}")
    return lines


def _population_line(scheduler: SchedulerPlan) -> str:
    settings, space = PbtSettings.from_json(scheduler.terms.settings), scheduler.plan.space
    assert space is not None
    return (
        f"PBT by {scheduler.objective.words}: {settings.population} members pause "
        f"{plural(settings.intervals, 'time')}, every {settings.interval:,} env steps. There the worst "
        f"{percent(settings.share)} copy one of the best and change {listed(list(space['space']))}."
    )


def scheduler_as_json(scheduler: SchedulerPlan, found: Forecast, resources: Resources) -> dict[str, Any]:
    """All that `print_scheduler` shows."""
    episodes = scheduler.episodes
    shown = {
        "kind": scheduler.terms.kind.value,
        "objective": scheduler.terms.objective,
        "settings": scheduler.terms.settings,
        "score_episodes": None if episodes is None else episodes.count,
        "score_episodes_reason": None if episodes is None else episodes.reason,
    }
    if scheduler.terms.kind is SchedulerKind.ASHA:
        shown["forecast"] = jsonable(_forecast(scheduler, found, resources))
    return shown


def _forecast(scheduler: SchedulerPlan, found: Forecast, resources: Resources | None) -> "AshaForecast":
    from rlsweep.planning.asha_forecast import forecast_asha

    return forecast_asha(scheduler, found, resources or Resources())


def _about(configs: float) -> str:
    """A number of configs that is a mean of simulations."""
    whole = round(configs)
    return f"{whole:,}" if configs == whole else f"about {whole:,}"


def _print_asha(forecast: "AshaForecast", out: "Console", *, on_this_machine: bool) -> None:
    from rich.table import Table

    by_episodes = forecast.rungs[0].episodes is not None
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("rung", "episodes" if by_episodes else "env steps", "configs expected"):
        table.add_column(heading, justify="right", no_wrap=True)
    for place, rung in enumerate(forecast.rungs, start=1):
        at = rung.episodes if by_episodes else rung.env_steps
        table.add_row(str(place), "unknown" if at is None else f"{at:,}", _about(rung.configs))
    out.print(table)
    if forecast.env_steps is None or forecast.grid_env_steps is None:
        return
    text = f"About {number(forecast.env_steps)} env steps, of {number(forecast.grid_env_steps)} to train all to the end"
    if on_this_machine and forecast.seconds is not None and forecast.grid_seconds is not None:
        text += f"; about {duration(forecast.seconds)}, of {duration(forecast.grid_seconds)}"
    out.print(f"{text}.", markup=False, soft_wrap=True)
