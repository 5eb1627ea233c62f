"""`rlsweep delete`: a sweep or a run, with everything that belongs to it."""

from typing import TYPE_CHECKING, Annotated

import typer

from rlsweep.analysis.wording import plural
from rlsweep.cli import call
from rlsweep.cli.options import SweepOrRun
from rlsweep.cli.output import can_ask, size
from rlsweep.errors import InputError

if TYPE_CHECKING:
    from rlsweep.api.control import Deletion


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    app.command(name="delete")(delete)


def delete(
    reference: SweepOrRun,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")] = False,
) -> None:
    """Delete a sweep or a run: its records, TensorBoard logs and checkpoints."""
    from rlsweep.api.control import delete as delete_from_record

    deleted = delete_from_record(reference, settings=call.settings(), confirm=lambda planned: yes or _confirm(planned))
    typer.echo("Nothing was deleted." if deleted is None else f"Deleted {deleted.target}: {_amount(deleted)}.")


def _confirm(planned: "Deletion") -> bool:
    if not can_ask():
        raise InputError(
            f"Deleting {planned.target} cannot be undone, and there is no terminal to ask at. Add --yes to delete "
            f"{_amount(planned)}."
        )
    return typer.confirm(f"Delete {planned.target}, with {_amount(planned)}? This cannot be undone")


def _amount(planned: "Deletion") -> str:
    plan = planned.plan
    return f"{plural(len(plan.runs), 'run')}, {plural(plan.episodes, 'episode')}, {size(plan.bytes)} of files"
