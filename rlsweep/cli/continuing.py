"""`rlsweep resume` and `rlsweep retry`: go on with a sweep that is on record."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rlsweep.analysis.wording import plural
from rlsweep.cli import call, options
from rlsweep.cli.driving import DEFAULT_GRACE, Driving, print_json_report
from rlsweep.runs import RunStatus, Sweep, SweepStatus, TrainingRun
from rlsweep.storage import check_usable

if TYPE_CHECKING:
    from rlsweep.driver.selection import RunSelection


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    for command in (resume, retry):
        app.command()(command)
    app.command(hidden=True)(drive)


def resume(
    sweep: options.SweepReference,
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
    """Finish what is unfinished of a sweep: what waits, was stopped, or lost its process."""
    from rlsweep.driver.selection import UNFINISHED

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
    _go_on(sweep, UNFINISHED, driving)


def retry(
    sweep: options.SweepReference,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Begin them anew instead of at their last checkpoints.")
    ] = False,
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
    """Run the failed trials of a sweep again; all others stay as they are."""
    from rlsweep.driver.selection import FAILED, FAILED_FROM_START

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
    _go_on(sweep, FAILED_FROM_START if from_start else FAILED, driving)


def drive(
    sweep: options.SweepReference,
    selection: Annotated[str, typer.Option("--selection", help="Which of its trials, by the name of a selection.")],
    command: Annotated[str, typer.Option("--command", help="What the user typed to have it driven.")],
    grace: options.Grace = DEFAULT_GRACE,
) -> None:
    """Drive a sweep on the cluster that this process is a job of: what was sent there by `--address http://…`."""
    from rlsweep.cli.places import drive_on_this_cluster
    from rlsweep.driver.selection import SELECTIONS

    code = drive_on_this_cluster(sweep, SELECTIONS[selection], call.settings(), grace=grace, command=command)
    if code:
        raise typer.Exit(code)


def _go_on(reference: str, selection: "RunSelection", driving: Driving) -> None:
    """Drive the selection of the sweep, if there is any; before Ray is started it is known whether that may be done."""
    from rlsweep.attempts.provenance import collect_provenance
    from rlsweep.cli.places import Task, find_place
    from rlsweep.store import sweeps, training_runs
    from rlsweep.store.opening import open_database

    settings = call.settings()
    out = driving.console()
    with open_database(settings) as database:
        sweep = sweeps.get(database, reference)
        sweeps.check_undriven(database, sweep.id)
        runs = training_runs.of_sweep(database, sweep.id)
        wanted = [run for run in runs if run.status in selection.statuses]
        if wanted:
            check_usable(settings.storage)
            out.print(f"Sweep {sweep.name}: {len(wanted)} of {plural(len(runs), 'trial')} to run", markup=False)
            provenance = collect_provenance(Path(wanted[0].config_path).parent)
            place = find_place(driving, settings, sweep)
            resources = driving.resources(sweep)
            with place.opened(resources, len(wanted)):
                place.check(database, resources, out)
                code = place.drive(
                    Task(
                        database=database,
                        sweep=sweep,
                        selection=selection,
                        resources=resources,
                        provenance=provenance,
                        out=out,
                    )
                )
        else:
            code = 0
            out.print(_nothing_to_do(sweeps.settle(database, sweep.id), runs), markup=False, soft_wrap=True)
            if driving.json:
                print_json_report(database, sweep)
    if code:
        raise typer.Exit(code)


def _nothing_to_do(sweep: Sweep, runs: Sequence[TrainingRun]) -> str:
    """Why no trial is run, and which command would run those that did not complete."""
    if sweep.status is SweepStatus.COMPLETED:
        return f"Sweep {sweep.name} is completed: there is nothing left to run."
    failed = sum(run.status is RunStatus.FAILED for run in runs)
    if failed:
        return (
            f"Sweep {sweep.name}: nothing is unfinished. {plural(failed, 'trial')} failed: rlsweep retry {sweep.name}"
        )
    return f"Sweep {sweep.name}: no trial failed. Some are unfinished: rlsweep resume {sweep.name}"
