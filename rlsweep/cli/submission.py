"""`rlsweep submit`: run a sweep to its end, with live progress."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from rlsweep.api.plan import PlanOptions, make_plan
from rlsweep.cli import call, options
from rlsweep.cli.flag_blocks import with_flag_blocks
from rlsweep.cli.observer import ConsoleObserver, exit_code
from rlsweep.cli.output import can_ask, console
from rlsweep.cli.patterns_command import PatternsCommand
from rlsweep.cli.planning import print_forecast, print_head_at_once
from rlsweep.cli.scheduler_plan import print_scheduler
from rlsweep.cluster.resources import Resources
from rlsweep.places.options import DrivingOptions
from rlsweep.planning.forecast import Forecast
from rlsweep.planning.scheduler import SchedulerPlan, ends_early, scheduler_plan
from rlsweep.planning.scheduler_options import SchedulerOptions
from rlsweep.sweep_records import Sweep

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    app.command(cls=PatternsCommand)(with_flag_blocks(submit))


def submit(
    *,
    patterns: options.Patterns,
    plan: PlanOptions,
    asked: SchedulerOptions,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the sweep (default: agent, date and time).")
    ] = None,
    driving: DrivingOptions,
    json: options.Json = False,
) -> None:
    """Train all configs in parallel and print a report."""
    from rlsweep.api.submit import submit as submit_plan

    out = console(stderr=json)
    is_here = driving.address is None and "RAY_ADDRESS" not in call.environ()
    made = make_plan(patterns, plan, asked)
    scheduler = scheduler_plan(made, asked)
    print_head_at_once(made, out)
    outcome = submit_plan(
        made if scheduler is None else scheduler.plan,
        patterns=patterns,
        settings=call.settings(),
        observer=ConsoleObserver(out, json=json),
        options=driving,
        name=name,
        scheduler=scheduler,
        on_forecast=partial(_print, scheduler=scheduler, out=out, resources=driving.resources() if is_here else None),
        resume_instead=resume_instead,
    )
    raise typer.Exit(exit_code(outcome))


def _print(forecast: Forecast, *, scheduler: SchedulerPlan | None, out: "Console", resources: Resources | None) -> None:
    """Print what the trials take, and what the scheduler makes of them."""
    print_forecast(forecast, out, resources, is_decided_upon=ends_early(scheduler))
    if scheduler is not None:
        print_scheduler(scheduler, forecast, out, resources)


def resume_instead(unfinished: Sweep) -> bool:
    """Whether the user would rather resume the unfinished sweep of the same plan than begin a new one."""
    if not can_ask():
        typer.echo(
            f"Sweep {unfinished.name} has the same plan and is unfinished. Resume it: rlsweep resume {unfinished.name}",
            err=True,
        )
        return False
    return typer.confirm(
        f"Sweep {unfinished.name} has the same plan and is unfinished. Resume it instead of beginning anew?"
    )
