"""`rlsweep note`: the note and the tags of a sweep or a run."""

from typing import Annotated

import typer

from rlsweep.cli import call
from rlsweep.cli.options import Json, SweepOrRun
from rlsweep.cli.output import print_json


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    app.command()(note)


def note(
    reference: SweepOrRun,
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="The note, instead of the one before; '' removes it.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="Add a tag. Repeatable.")] = None,
    untag: Annotated[list[str] | None, typer.Option("--untag", help="Remove a tag. Repeatable.")] = None,
    json: Json = False,
) -> None:
    """Write a note and tags on a sweep or a run; without TEXT and flags, show them."""
    from rlsweep.api.annotations import annotate_reference

    written = annotate_reference(reference, settings=call.settings(), note=text, tag=tag or (), untag=untag or ())
    if json:
        return print_json(written)
    typer.echo(f"tags: {', '.join(written.tags) or 'none'}")
    return typer.echo(f"note: {written.note or 'none'}")
