"""`rlsweep tensorboard`: TensorBoard on the right folder."""

from typing import Annotated

import typer

from rlsweep.cli import call, completion
from rlsweep.errors import NotFoundError
from rlsweep.paths import Paths
from rlsweep.places.interrupts import on_interrupt


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    app.command()(tensorboard)


def tensorboard(
    sweep: Annotated[
        str | None,
        typer.Argument(metavar="SWEEP", help="Sweep to show (default: all).", autocompletion=completion.sweeps),
    ] = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="Port on 127.0.0.1; 0 takes a free one.")
    ] = 6006,
) -> None:
    """Open TensorBoard for one sweep, or for all of them."""
    from rlsweep.store import sweeps
    from rlsweep.store.opening import open_database

    settings = call.settings()
    folder = Paths(settings).tensorboard
    if sweep is not None:
        with open_database(settings) as database:
            folder = Paths(settings).sweep_tensorboard(sweeps.get(database, sweep).id)
    if not folder.is_dir():
        raise NotFoundError(f"No TensorBoard logs in {folder}: nothing was trained yet, or RLSWEEP_STORAGE differs.")
    from rlsweep.reports.tensorboard import launch

    address = launch(folder, port=port)
    with on_interrupt(lambda: None) as asked:
        typer.echo(f"TensorBoard shows {folder} at {address} (Ctrl-C ends it)")
        asked.wait()
    raise KeyboardInterrupt
