"""The `rlsweep` program: its commands, and the one place where errors become messages and exit codes."""

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

import rlsweep
from rlsweep.cli import (
    continuing,
    database,
    deleting,
    evaluation,
    following,
    inspection,
    planning,
    service,
    serving,
    submission,
    tensorboard,
    training,
)
from rlsweep.cli.output import EXIT_INTERRUPTED
from rlsweep.errors import RlsweepError
from rlsweep.settings import read_variables

app = typer.Typer(
    name="rlsweep",
    help="Test hyperparameter variants with short runs, compare them, then train the one you chose.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: nothing is cut at 80 columns, and half the time to import
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rlsweep {rlsweep.__version__}")
        raise typer.Exit


def _use_settings(file: Path | None) -> None:
    if file is not None:
        os.environ.update(read_variables(file) | dict(os.environ))


@app.callback()
def _options(
    settings: Annotated[
        Path | None,
        typer.Option(
            "--settings",
            metavar="FILE",
            callback=_use_settings,
            help="RLSWEEP_* variables, NAME=VALUE lines; the environment wins.",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks with errors; may stand anywhere.")] = False,
) -> None:
    pass


for room in (
    planning,
    submission,
    continuing,
    following,
    training,
    evaluation,
    inspection,
    deleting,
    service,
    serving,
    tensorboard,
):
    room.register(app)
app.add_typer(database.app, name="db")


def main() -> None:
    """Run the program on `sys.argv`. Exit codes: 0 done, 1 a run failed, 2 bad input, 130 interrupted."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    sys.path.append(os.getcwd())  # environments named `module:Class` may lie where the user works, as with python -m
    try:
        app(arguments, prog_name="rlsweep")
    except RlsweepError as error:
        if debug:
            traceback.print_exception(error)
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201 - the one place where errors meet the user
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
