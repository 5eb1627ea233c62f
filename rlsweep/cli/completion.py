"""What the shell offers for the name of a sweep or the id of a run: light, silent, and without starting a database."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rlsweep.cli import call
from rlsweep.errors import RlsweepError
from rlsweep.settings import read_variables

if TYPE_CHECKING:
    from rlsweep.store.database import Database

MOST_OFFERED = 50
_SHORT_ID = 8

Offers = list[tuple[str, str]]
"""Words to complete with, each with a description."""


def sweeps(ctx: typer.Context, incomplete: str) -> Offers:
    """The names of sweeps that begin so, the newest first."""
    from rlsweep.store import references

    found: Offers = []
    with suppress(RlsweepError), _database(ctx) as database:  # a shell that completes a word shows no error
        if database is not None:
            found = [(name, "sweep") for name in references.sweep_names(database, incomplete, MOST_OFFERED)]
    return found


def runs(ctx: typer.Context, incomplete: str) -> Offers:
    """The ids of runs that begin so, the newest first: short, or whole where more than that is typed."""
    from rlsweep.store import references

    found: Offers = []
    with suppress(RlsweepError), _database(ctx) as database:
        if database is not None:
            for run in references.runs_starting_with(database, incomplete, MOST_OFFERED):
                text = str(run.id)
                found.append((text if len(incomplete) > _SHORT_ID else text[:_SHORT_ID], run.label))
    return found


def sweeps_and_runs(ctx: typer.Context, incomplete: str) -> Offers:
    """Both, sweeps first."""
    return [*sweeps(ctx, incomplete), *(runs(ctx, incomplete) if incomplete else [])]


@contextmanager
def _database(ctx: typer.Context) -> Iterator["Database | None"]:
    """The database of the command that is being typed, if a server runs."""
    from rlsweep.store.opening import running_database

    file = ctx.find_root().params.get("settings")  # its callback is not called here
    if file is not None:
        call.add_defaults(read_variables(Path(file)))
    yield running_database(call.settings())
