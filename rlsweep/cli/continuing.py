"""`rlsweep resume` and `rlsweep retry`: continue a sweep that is on record."""

from pathlib import Path
from typing import Annotated

import typer

from rlsweep.cli import call, options
from rlsweep.cli.flag_blocks import with_flag_blocks
from rlsweep.cli.observer import ConsoleObserver, exit_code
from rlsweep.cli.output import console
from rlsweep.places.options import DEFAULT_GRACE, DrivingOptions


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    for command in (resume, retry):
        app.command()(with_flag_blocks(command))
    app.command(hidden=True)(drive)


def resume(sweep: options.SweepReference, driving: DrivingOptions, json: options.Json = False) -> None:
    """Continue the pending, stopped and crashed trials of a sweep."""
    from rlsweep.api.resume import resume as resume_sweep

    observer = ConsoleObserver(console(stderr=json), json=json)
    outcome = resume_sweep(sweep, settings=call.settings(), observer=observer, options=driving)
    raise typer.Exit(exit_code(outcome))


def retry(
    *,
    sweep: options.SweepReference,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Restart the trials from scratch instead of their last checkpoints.")
    ] = False,
    driving: DrivingOptions,
    json: options.Json = False,
) -> None:
    """Run the failed trials of a sweep again; all others stay as they are."""
    from rlsweep.api.resume import retry as retry_sweep

    observer = ConsoleObserver(console(stderr=json), json=json)
    outcome = retry_sweep(sweep, from_start=from_start, settings=call.settings(), observer=observer, options=driving)
    raise typer.Exit(exit_code(outcome))


def drive(
    sweep: options.SweepReference,
    selection: Annotated[str, typer.Option("--selection", help="Which of its trials, by the name of a selection.")],
    command: Annotated[str, typer.Option("--command", help="The command that the user typed.")],
    folder: Annotated[Path, typer.Option("--folder", help="Where the user typed it.")],
    grace: options.Grace = DEFAULT_GRACE,
) -> None:
    """Drive a sweep inside a job of the cluster that it was sent to with `--address http://…`."""
    from rlsweep.driver.selection import SELECTIONS
    from rlsweep.places.job_driving import drive_on_this_cluster

    outcome = drive_on_this_cluster(
        sweep,
        SELECTIONS[selection],
        call.settings(),
        ConsoleObserver(console()),
        grace=grace,
        command=command,
        folder=folder,
    )
    raise typer.Exit(exit_code(outcome))
