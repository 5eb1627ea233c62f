"""The `rlsweep` program: its commands, and the one place where errors become messages and exit codes."""

import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from rlsweep.api.opening import closed_afterwards
from rlsweep.cli import (
    annotating,
    call,
    configs,
    continuing,
    database,
    deleting,
    evaluation,
    following,
    importing,
    inspection,
    planning,
    promoting,
    racing,
    service,
    serving,
    submission,
    tensorboard,
    tournament,
    training,
)
from rlsweep.cli.habits import HabitsGroup
from rlsweep.cli.output import EXIT_INTERRUPTED
from rlsweep.cli.stages import shown_stages
from rlsweep.cli.written_output import flush_output
from rlsweep.errors import RlsweepError
from rlsweep.imports import leave_to_the_kernel
from rlsweep.settings import read_variables
from rlsweep.version import __version__

app = typer.Typer(
    name="rlsweep",
    cls=HabitsGroup,
    help="Test hyperparameter variants with short runs, compare them, then train the one you chose.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: nothing is cut at 80 columns, and half the time to import
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rlsweep {__version__}")
        raise typer.Exit


def _use_settings(file: Path | None) -> None:
    if file is not None:
        call.add_defaults(read_variables(file))


@app.callback()
def _options(
    settings: Annotated[
        Path | None,
        typer.Option(
            "--settings",
            metavar="FILE",
            callback=_use_settings,
            help="File of RLSWEEP_* variables, one NAME=VALUE per line; the environment wins.",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Print tracebacks with errors; may be given anywhere.")
    ] = False,
) -> None:
    pass


for room in (
    planning,
    submission,
    racing,
    continuing,
    following,
    training,
    evaluation,
    inspection,
    annotating,
    promoting,
    configs,
    importing,
    tournament,
    deleting,
    service,
    serving,
    tensorboard,
):
    room.register(app)
app.add_typer(database.app, name="db")


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run a command. Returns its exit code.

    0: done; 1: work was begun and did not complete; 2: nothing was started; 130: interrupted

    argv: what follows the program's name; None takes this process's own
    environ: the RLSWEEP_* variables; None takes this process's own
    """
    given = sys.argv[1:] if argv is None else argv
    debug = "--debug" in given
    arguments = [argument for argument in given if argument != "--debug"]
    try:
        with (
            _importable(os.getcwd()),
            call.called_with(os.environ if environ is None else environ, debug=debug),
            closed_afterwards(),
            shown_stages(),
        ):
            code = _run(arguments)
        flush_output()
    except RlsweepError as error:
        if debug:
            traceback.print_exception(error)
        with suppress(OSError):  # of a full disk or a closed pipe; the exit code still says what happened
            print(f"Error: {error}", file=sys.stderr)  # noqa: T201 - the one place where errors meet the user
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    finally:
        if argv is None:
            leave_to_the_kernel()
    return code


def _run(arguments: Sequence[str]) -> int:
    try:
        app(arguments, prog_name="rlsweep")
    except SystemExit as end:  # how Typer ends every command, with a number
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(f"Error: {end.code}", file=sys.stderr)  # noqa: T201 - the text of a sys.exit in somebody's own code
        return 1
    except OSError:
        flush_output("\n")  # raises its own error where it is the output that cannot be written
        raise
    return 0


@contextmanager
def _importable(folder: str) -> Iterator[None]:
    """Environments named `module:Class` may lie where the user works, as with python -m."""
    before = list(sys.path)
    sys.path.append(folder)
    try:
        yield
    finally:
        sys.path[:] = before
