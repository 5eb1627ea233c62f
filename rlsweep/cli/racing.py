"""`rlsweep race` and `confirm`: decide between configs, and check the choice on held-out seeds."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from rlsweep.api.plan import PlanOptions, make_plan
from rlsweep.api.references import is_sweep_reference
from rlsweep.cli import call, completion, options
from rlsweep.cli.flag_blocks import with_flag_blocks
from rlsweep.cli.observer import ConsoleObserver, exit_code
from rlsweep.cli.output import console
from rlsweep.cli.patterns_command import PatternsCommand
from rlsweep.cli.planning import print_forecast, print_head_at_once
from rlsweep.cli.race_plan import print_race
from rlsweep.cli.submission import resume_instead
from rlsweep.cluster.resources import Resources
from rlsweep.errors import InputError
from rlsweep.places.options import DrivingOptions
from rlsweep.planning.forecast import Forecast
from rlsweep.planning.instances import environment_instances
from rlsweep.planning.race import RacePlan
from rlsweep.planning.race_options import RaceOptions
from rlsweep.race_records import SEEDS_TO_CONFIRM

if TYPE_CHECKING:
    from rich.console import Console

RacePatterns = Annotated[
    list[str],
    typer.Argument(
        metavar="PATTERN|SWEEP",
        help="Agent configs as for `submit`, or a sweep or race on record to go on with.",
        autocompletion=completion.sweeps,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    app.command(cls=PatternsCommand)(with_flag_blocks(race, seeds=options.SeedsRefused))
    app.command()(with_flag_blocks(confirm))


def race(
    *,
    patterns: RacePatterns,
    asked: RaceOptions,
    plan: PlanOptions,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the race (default: agent, date and time).")
    ] = None,
    driving: DrivingOptions,
    scheduler: options.SchedulerRefused = None,
    json: options.Json = False,
) -> None:
    """Spend the budget where it helps to decide between configs, and say which one to take, with the risk."""
    from rlsweep.api.race import continue_race
    from rlsweep.api.race import race as race_plan

    if scheduler is not None:
        raise InputError(
            f"--scheduler {scheduler}: a race decides by itself what is trained. Leave the flag out, or submit the "
            f"configs: rlsweep submit PATTERN --scheduler {scheduler}"
        )
    out = console(stderr=json)
    observer = ConsoleObserver(out, json=json)
    if len(patterns) == 1 and is_sweep_reference(patterns[0]):
        if plan != PlanOptions() or name is not None:
            raise InputError(
                f"{patterns[0]} is a sweep on record, which keeps its name, budget and environment: leave out flags "
                "other than --tolerance, --confidence, --cap, --max-hours and those of driving."
            )
        outcome = continue_race(patterns[0], asked, settings=call.settings(), observer=observer, options=driving)
        raise typer.Exit(exit_code(outcome))
    if plan.seeds != 1:
        raise InputError(f"--seeds {plan.seeds}: a race gives each config as many seeds as help. Leave the flag out.")
    is_here = driving.address is None and "RAY_ADDRESS" not in call.environ()
    made = make_plan(patterns, plan)
    print_head_at_once(made, out)
    outcome = race_plan(
        made,
        asked,
        patterns=patterns,
        settings=call.settings(),
        observer=observer,
        options=driving,
        name=name,
        on_forecast=partial(_print, out=out, resources=driving.resources(), is_here=is_here),
        resume_instead=resume_instead,
    )
    raise typer.Exit(exit_code(outcome))


def confirm(
    *,
    sweep: options.SweepReference,
    seeds: Annotated[int, typer.Option("--seeds", help="Held-out seeds of each config.")] = SEEDS_TO_CONFIRM,
    driving: DrivingOptions,
    json: options.Json = False,
) -> None:
    """Train the config that a race or sweep takes, and its contenders, on seeds that were not used to choose it."""
    from rlsweep.api.confirm import confirm as confirm_choice

    observer = ConsoleObserver(console(stderr=json), json=json)
    outcome = confirm_choice(sweep, seeds=seeds, settings=call.settings(), observer=observer, options=driving)
    raise typer.Exit(exit_code(outcome))


def _print(race: RacePlan, forecast: Forecast, *, out: "Console", resources: Resources, is_here: bool) -> None:
    """Print what the first runs take, then the whole race."""
    from rlsweep.planning.race_forecast import forecast_race

    print_forecast(forecast, out, resources if is_here else None, is_decided_upon=True)
    slots = environment_instances(race.plan, resources).trials_at_once
    print_race(race, forecast_race(race, forecast, slots=slots) if is_here else None, out)
