"""`rlsweep db`: the database behind everything."""

import os
import subprocess
from typing import Annotated

import typer

from rlsweep.cli import call

app = typer.Typer(help="The PostgreSQL database behind everything.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def url() -> None:
    """Print the database's address. The embedded server runs only while an rlsweep command does."""
    from rlsweep.store.opening import open_database

    with open_database(call.settings()) as database:
        typer.echo(database.url)


@app.command()
def upgrade() -> None:
    """Upgrade the tables to this version; every other command does so too."""
    from rlsweep.store.opening import open_database
    from rlsweep.store.schema import schema_version

    with open_database(call.settings()) as database:
        typer.echo(f"The schema is at version {schema_version(database)}.")


@app.command()
def shell(
    command: Annotated[str | None, typer.Option("--command", "-c", help="Run one SQL command and exit.")] = None,
) -> None:
    """Open psql on the database."""
    from rlsweep.store.opening import open_database
    from rlsweep.store.shell import psql_command

    with open_database(call.settings()) as database:
        arguments, environment = psql_command(database)
        if command is not None:
            arguments += ["--command", command]
        raise typer.Exit(subprocess.run(arguments, env=os.environ | environment, check=False).returncode)
