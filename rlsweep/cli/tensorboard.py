"""`rlsweep tensorboard`: TensorBoard on the right folder."""

import subprocess
import sys
from typing import Annotated

import typer

from rlsweep.errors import NotFoundError
from rlsweep.paths import Paths
from rlsweep.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    app.command()(tensorboard)


def tensorboard(
    sweep: Annotated[
        str | None, typer.Argument(metavar="SWEEP", help="Show one sweep; without it, all there is.")
    ] = None,
    port: Annotated[int, typer.Option("--port", help="Port on 127.0.0.1.")] = 6006,
) -> None:
    """Open TensorBoard on the curves of a sweep, or of everything."""
    from rlsweep.store import sweeps
    from rlsweep.store.opening import open_database

    settings = Settings.from_environ()
    folder = Paths(settings).tensorboard
    if sweep is not None:
        with open_database(settings) as database:
            folder = Paths(settings).sweep_tensorboard(sweeps.get(database, sweep).id)
    if not folder.exists():
        raise NotFoundError(f"No TensorBoard logs in {folder}: nothing was trained yet, or RLSWEEP_STORAGE differs.")
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--port", str(port)]
    raise typer.Exit(subprocess.run([*command, "--host", "127.0.0.1"], check=False).returncode)
