"""`rlsweep import`: a file of another tool as a search space of ours."""

from pathlib import Path
from typing import Annotated

import typer

from rlsweep.cli.options import Json
from rlsweep.cli.output import print_json


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    app.command(name="import")(import_file)


def import_file(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A sweep file of W&B, rl-zoo's YAML, or distributions of Optuna.")
    ],
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="DIR", help="Write the files into this folder; never replaces a file."),
    ] = None,
    json: Json = False,
) -> None:
    """Translate a file of another tool to a search space and its base config, and say what is left out."""
    from rlsweep.api.importing import import_file as import_as_ours

    done = import_as_ours(file, folder=write)
    if json:
        return print_json(done)
    if write is None:
        typer.echo("\n".join(f"# {path}\n{text}" for path, text in done.files.items()))
    else:
        typer.echo("\n".join(f"Wrote {path}" for path in done.files))
    mark = "# " if write is None else ""
    for what, found in (("left out", done.left_out), ("changed", done.changed)):
        for name, reason in found.items():
            typer.echo(f"{mark}{what}: {name} ({reason})")
    typer.echo(f"{mark}Then type: {done.command}")
    return None
