"""`rlsweep attach` and `rlsweep logs`: a sweep that another process drives."""

from typing import Annotated

import typer

from rlsweep.cli import call, options
from rlsweep.cli.observer import ConsoleObserver, exit_code
from rlsweep.cli.output import console


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    for command in (attach, logs):
        app.command()(command)


def attach(sweep: options.SweepReference = "latest", json: options.Json = False) -> None:
    """Follow a sweep that runs elsewhere to its end; Ctrl-C leaves it running."""
    from rlsweep.api.follow import attach as attach_to

    observer = ConsoleObserver(console(stderr=json), json=json)
    raise typer.Exit(exit_code(attach_to(sweep, settings=call.settings(), observer=observer)))


def logs(
    sweep: options.SweepReference = "latest",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Print more as it is written, until the driver ends.")
    ] = False,
    address: options.LogAddress = None,
) -> None:
    """Show the driver's log of a sweep in the service or on a cluster."""
    from rlsweep.api.follow import read_log

    for text in read_log(sweep, follow=follow, address=address, settings=call.settings()):
        typer.echo(text, nl=False)
