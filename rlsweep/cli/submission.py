"""`rlsweep submit`: run a sweep to its end, with live progress."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from rlsweep.cli import options
from rlsweep.cli.output import EXIT_FAILED, EXIT_INTERRUPTED, console, print_json
from rlsweep.cli.planning import measure_plan, print_plan
from rlsweep.cli.progress import LiveProgress
from rlsweep.cli.signals import on_interrupt
from rlsweep.config.plan import Plan, make_plan
from rlsweep.config.run import Mode
from rlsweep.errors import InputError, RlsweepError, StoreUnavailableError
from rlsweep.runs import Sweep, SweepStatus
from rlsweep.settings import Settings
from rlsweep.sweep.resources import Resources

if TYPE_CHECKING:
    from rich.console import Console

    from rlsweep.sweep.driver import Driver


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
    cpus_per_trial: options.CpusPerTrial = 1.0,
    gpus_per_trial: options.GpusPerTrial = 0.0,
    max_concurrent: options.MaxConcurrent = None,
    address: options.Address = None,
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Also start Ray's dashboard on 127.0.0.1:8265.")
    ] = False,
    grace: Annotated[
        float, typer.Option("--grace", min=0, help="Seconds a trial may take to end once it was asked to stop.")
    ] = 120.0,
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
    # What follows is slow to import; a typing mistake above should not have to wait for it.
    from rlsweep.reports.rendering import render
    from rlsweep.reports.summary import as_json, summarise
    from rlsweep.store.opening import check_reachable, open_database
    from rlsweep.sweep.cluster import RayOptions, RaySession
    from rlsweep.sweep.provenance import collect_provenance
    from rlsweep.sweep.submission import check_name, create_sweep

    settings = Settings.from_environ()
    if name is not None:
        check_name(name)
    check_reachable(settings)
    out = console(stderr=json)
    resources = Resources(cpus_per_trial=cpus_per_trial, gpus_per_trial=gpus_per_trial, max_concurrent=max_concurrent)
    with RaySession(RayOptions(address=address, dashboard=dashboard)) as ray_session:
        _show_plan(plan, out)
        slots = ray_session.ready(resources, settings)
        if ray_session.dashboard_url is not None:
            out.print(
                f"Ray's dashboard: {ray_session.dashboard_url} (token {os.environ['RAY_AUTH_TOKEN']})", soft_wrap=True
            )
        from rlsweep.sweep.driver import Driver
        from rlsweep.sweep.execution import Workplace

        provenance = collect_provenance(plan.trials[0].config_path.parent)
        with open_database(settings) as database:
            sweep = create_sweep(database, plan, name=name, patterns=patterns, provenance=provenance)
            out.print(
                f"\nSweep {sweep.name} runs; follow or end it from elsewhere: rlsweep status|stop {sweep.name}",
                soft_wrap=True,
            )
            workplace = Workplace(
                database_url=database.url,
                settings=settings,
                threads=resources.threads,
                metadata=provenance.as_metadata(),
            )
            driver = Driver(database, sweep, workplace, resources, slots=slots, grace_seconds=grace)
            interrupted, sweep = _drive(driver, out)
            report = summarise(database, sweep)
        if json:
            print_json(as_json(report))
        else:
            render(report, out)
    if interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)
    if sweep.status is not SweepStatus.COMPLETED:
        raise typer.Exit(EXIT_FAILED)


def _show_plan(plan: Plan, out: "Console") -> None:
    """Print the plan; an environment that can be made but fails when played is for its trials to record."""
    try:
        print_plan(plan, measure_plan(plan), out)
    except InputError:
        raise
    except RlsweepError as error:
        print_plan(plan, None, out)
        out.print(f"Warning: {error}", markup=False, style="yellow", soft_wrap=True)


def _drive(driver: "Driver", out: "Console") -> tuple[bool, Sweep]:
    """Run to the end; whether a signal asked to stop, and the sweep as it ended."""

    def tell() -> None:
        driver.request_stop()
        out.print("Stopping: trials end at their next step and keep what they recorded. Once more ends at once.")

    with LiveProgress(out) as watch, on_interrupt(tell) as interrupted:
        try:
            sweep = driver.run(watch)
        except StoreUnavailableError as error:
            raise RlsweepError(f"The sweep ended before its trials did. {error}") from error
    return interrupted.is_set(), sweep
