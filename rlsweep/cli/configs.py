"""`rlsweep configs`: the agent configs of a sweep, and files of them."""

from pathlib import Path
from typing import Annotated

import typer

from rlsweep.analysis.wording import hyperparameter, plural
from rlsweep.cli import call
from rlsweep.cli.options import Json, SweepReference
from rlsweep.cli.output import console, print_json
from rlsweep.reports.layout import Column, laid_out

_MOST_TABLES = 2


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    app.command(name="configs")(configs)


def configs(
    sweep: SweepReference = "latest",
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="DIR", help="Write each config into this folder; never replaces a file."),
    ] = None,
    json: Json = False,
) -> None:
    """List the agent configs of a sweep, those drawn from a search space too, or write them as files."""
    from rlsweep.api.configs import configs_of

    name, found = configs_of(sweep, call.settings(), folder=write)
    if json:
        return print_json(found)
    out = console()
    keys = list(found[0].differing)
    columns = [Column("config"), *(Column(key.rpartition(".")[2]) for key in keys)]
    rows = [(each.config, *(hyperparameter(each.differing[key]) for key in keys)) for each in found]
    for part in laid_out(columns, rows, out.width, most_tables=_MOST_TABLES):
        out.print(part)
    if write is None:
        typer.echo(f"{plural(len(found), 'config')} of sweep {name}.")
        typer.echo(f"Write files of them: rlsweep configs {name} --write DIR")
    else:
        typer.echo(f"Wrote {plural(len(found), 'file')} into {write}.")
    return None
