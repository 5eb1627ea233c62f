"""`rlsweep delete`: a sweep or a run, with everything that belongs to it."""

from typing import TYPE_CHECKING, Annotated

import typer

from rlsweep.analysis.wording import plural
from rlsweep.cli import call
from rlsweep.cli.options import SweepOrRun
from rlsweep.cli.output import can_ask, size
from rlsweep.cli.references import find_sweep_or_run
from rlsweep.errors import InputError
from rlsweep.runs import Sweep

if TYPE_CHECKING:
    from rlsweep.attempts.deletion import DeletionPlan


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    app.command(name="delete")(delete)


def delete(
    reference: SweepOrRun,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")] = False,
) -> None:
    """Delete a sweep or a run: its records, TensorBoard logs and checkpoints."""
    from rlsweep.attempts import deletion
    from rlsweep.store import training_runs
    from rlsweep.store.opening import open_database

    settings = call.settings()
    with open_database(settings) as database:
        found = find_sweep_or_run(database, reference)
        if isinstance(found, Sweep):
            name, sweep_id = f"sweep {found.name}", found.id
            runs = training_runs.of_sweep(database, found.id)
        else:
            name, sweep_id = f"training run {str(found.id)[:8]}, {found.label}", None
            runs = [found]
        planned = deletion.plan_deletion(database, settings, runs, sweep_id=sweep_id)
        if not yes:
            if not can_ask():
                raise InputError(
                    f"Deleting {name} cannot be undone, and there is no terminal to ask at. Add --yes to delete "
                    f"{_amount(planned)}."
                )
            if not typer.confirm(f"Delete {name}, with {_amount(planned)}? This cannot be undone"):
                return typer.echo("Nothing was deleted.")
        deletion.delete(database, planned)
    return typer.echo(f"Deleted {name}: {_amount(planned)}.")


def _amount(planned: "DeletionPlan") -> str:
    return f"{plural(len(planned.runs), 'run')}, {plural(planned.episodes, 'episode')}, {size(planned.bytes)} of files"
