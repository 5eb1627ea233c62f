"""`rlsweep promote`: the pick of a sweep as the agent's next version."""

from pathlib import Path
from typing import Annotated

import typer

from rlsweep.analysis.wording import plural
from rlsweep.cli import call
from rlsweep.cli.options import Json, SweepOrRun
from rlsweep.cli.output import print_json


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    app.command(name="promote")(promote)


def promote(
    reference: SweepOrRun = "latest",
    name: Annotated[
        str | None,
        typer.Option("--as", metavar="NAME", help="Name of the new file, as ppo_agent_v2 (default: the next version)."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder to write into (default: that of the config).")
    ] = None,
    json: Json = False,
) -> None:
    """Write the next version of an agent's config with the best config of a sweep."""
    from rlsweep.api.promote import promote as promote_config
    from rlsweep.api.promote import scored

    done = promote_config(reference, name=name, folder=out, settings=call.settings())
    if json:
        return print_json(done)
    typer.echo(f"Take {done.config}: {done.standing}.")
    if done.score is not None:
        typer.echo(f"Score {scored(done.score)}, {done.score_definition}, over {plural(len(done.seeds), 'seed')}.")
    how = "its comments are kept" if done.keeps_comments else "a fresh file without comments"
    typer.echo(f"Wrote {done.path} (version {done.version}; {how}).")
    typer.echo("Train it for long:")
    typer.echo(f"    {done.command}")
    return None
