"""`rlsweep submit`: run a sweep to its end, with live progress."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rlsweep.cli import call, options
from rlsweep.cli.driving import DEFAULT_GRACE, Driving
from rlsweep.cli.output import can_ask, warn
from rlsweep.cli.planning import estimate_plan, measure_plan, print_plan
from rlsweep.config.run import Mode
from rlsweep.errors import InputError, RlsweepError
from rlsweep.paths import Paths
from rlsweep.planning.plan import Plan, check_trials, make_plan
from rlsweep.runs import Sweep
from rlsweep.storage import check_usable

if TYPE_CHECKING:
    from rich.console import Console

    from rlsweep.store.database import Database


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    app.command()(submit)


def submit(
    patterns: options.Patterns,
    base_config: options.BaseConfig = None,
    overrides: options.Overrides = None,
    mode: options.ModeOption = Mode.SMOKE,
    episodes: options.Episodes = None,
    total_timesteps: options.Timesteps = None,
    seeds: options.Seeds = 1,
    with_base: options.WithBase = False,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the sweep (default: agent, date and time).")
    ] = None,
    cpus_per_trial: options.CpusPerTrial = None,
    gpus_per_trial: options.GpusPerTrial = None,
    max_concurrent: options.MaxConcurrent = None,
    autoscale: options.Autoscale = False,
    address: options.Address = None,
    detach: options.Detach = False,
    dashboard: options.Dashboard = False,
    grace: options.Grace = DEFAULT_GRACE,
    json: options.Json = False,
) -> None:
    """Train every config side by side, and say what came of it."""
    plan = make_plan(
        patterns,
        base_config=base_config,
        overrides=overrides or (),
        mode=mode,
        episodes=episodes,
        total_timesteps=total_timesteps,
        seeds=seeds,
        with_base=with_base,
    )
    driving = Driving(
        cpus_per_trial=cpus_per_trial,
        gpus_per_trial=gpus_per_trial,
        max_concurrent=max_concurrent,
        autoscale=autoscale,
        address=address,
        detach=detach,
        dashboard=dashboard,
        grace=grace,
        json=json,
    )
    resources = driving.resources()
    check_trials(plan.base_training, gpus_per_trial=resources.gpus_per_trial)
    # What follows is slow to import; a typing mistake above should not have to wait for it.
    from rlsweep.attempts.provenance import collect_provenance
    from rlsweep.cli.places import Task, find_place
    from rlsweep.driver.selection import PLANNED, UNFINISHED
    from rlsweep.planning.submission import check_name, create_sweep
    from rlsweep.store.opening import check_reachable, open_database

    settings = call.settings()
    if name is not None:
        check_name(name)
    check_reachable(settings)
    check_usable(settings.storage)
    out = driving.console()
    place = find_place(driving, settings)
    with place.opened(resources, len(plan.trials)), open_database(settings) as database:
        _show_plan(plan, resources.gpus_per_trial, Paths(settings).measurements, out)
        place.check(database, resources, out)
        provenance = collect_provenance(plan.trials[0].config_path.parent)
        sweep, selection = _unfinished_instead(database, plan), UNFINISHED
        if sweep is None:
            sweep = create_sweep(database, plan, name=name, patterns=patterns, provenance=provenance)
            selection = PLANNED
        code = place.drive(
            Task(
                database=database, sweep=sweep, selection=selection, resources=resources, provenance=provenance, out=out
            )
        )
    if code:
        raise typer.Exit(code)


def _show_plan(plan: Plan, gpus_per_trial: float, kept: Path, out: "Console") -> None:
    """Print the plan, by what was measured for the last sweeps where that will do: the file `kept` holds it.

    GPUs are measured every time, for what they take depends on drivers, which no package here knows of. An environment
    that can be made but fails when played is for its trials to record.
    """
    from rlsweep.planning.measurement_cache import recall, remember

    configs = [trial.config for trial in plan.trials]
    recalled = None if gpus_per_trial else recall(kept, configs)
    if recalled is not None:
        estimates = estimate_plan(plan, [each.measurement for each in recalled])
        print_plan(plan, estimates, out, measured_at=min(each.at for each in recalled))
        return
    try:
        measurements = measure_plan(plan, gpus_per_trial)
    except InputError:
        raise
    except RlsweepError as error:
        print_plan(plan, None, out)
        warn(str(error), out)
        return
    print_plan(plan, estimate_plan(plan, measurements), out, gpus_per_trial=gpus_per_trial)
    if not gpus_per_trial:
        try:
            remember(kept, configs, measurements)
        except OSError as error:
            warn(f"What was measured cannot be kept for the next sweep: {error}", out)


def _unfinished_instead(database: "Database", plan: Plan) -> Sweep | None:
    """The unfinished sweep of the same plan that the user would rather go on with; None for a new one."""
    from rlsweep.planning.submission import runs_of_plan
    from rlsweep.store import sweeps

    found = sweeps.find_unfinished(database, runs_of_plan(plan))
    if found is None:
        return None
    if not can_ask():
        typer.echo(f"Sweep {found.name} has the same plan and is unfinished: rlsweep resume {found.name}", err=True)
        return None
    question = f"Sweep {found.name} has the same plan and is unfinished. Resume it instead of beginning anew?"
    return found if typer.confirm(question) else None
