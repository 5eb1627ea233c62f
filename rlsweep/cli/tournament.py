"""`rlsweep tournament`: trained policies play each other."""

from typing import TYPE_CHECKING, Annotated

import typer

from rlsweep.api.tournament_options import TournamentOptions
from rlsweep.cli import call
from rlsweep.cli.flag_blocks import with_flag_blocks
from rlsweep.cli.observer import ConsoleObserver
from rlsweep.cli.options import Json
from rlsweep.cli.output import EXIT_INTERRUPTED, console, print_json
from rlsweep.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from rlsweep.api.tournament import TournamentOutcome
    from rlsweep.reports.tournament import TournamentResults


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    app.command()(with_flag_blocks(tournament))


def tournament(
    *,
    references: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SWEEP|RUN",
            help="Sweeps (name or id), of which every completed run plays, and runs (id); by default the newest sweep.",
        ),
    ] = None,
    asked: TournamentOptions,
    resume: Annotated[
        str | None,
        typer.Option("--resume", metavar="ID", help="Go on with a tournament; so does the command that began it."),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option("--address", help="Ray cluster: auto or HEAD:6379 on one of its nodes; a local Ray without it."),
    ] = None,
    matrix: Annotated[bool, typer.Option("--matrix", help="Print who beat whom even where it is wide.")] = False,
    json: Json = False,
) -> None:
    """Let the final checkpoints of a two-player game play each other on both seats, and rate them."""
    out = console(stderr=json)
    observer = ConsoleObserver(out, json=json)
    if resume is not None and (references or asked != TournamentOptions()):
        raise InputError("--resume goes on with what is on record: leave out sweeps, runs and the other flags.")
    outcome = _play(resume, references or ["latest"], asked, address, observer, out)
    _print(outcome.results, matrix=matrix, json=json)
    if outcome.is_interrupted:
        command = f"rlsweep tournament --resume {str(outcome.results.id)[:8]}"
        observer.message(f"\nInterrupted; the games above are on record. Play the rest: {command}")
        raise typer.Exit(EXIT_INTERRUPTED)


def _play(
    resume: str | None,
    references: list[str],
    options: TournamentOptions,
    address: str | None,
    observer: ConsoleObserver,
    out: "Console",
) -> "TournamentOutcome":
    """Go on with the tournament of that id, or play one of the references."""
    from rlsweep.api.tournament import begin_tournament, resume_tournament
    from rlsweep.reports.games_progress import GamesProgress

    settings = call.settings()

    def show(planned: int) -> GamesProgress:
        return GamesProgress(out, planned)

    if resume is not None:
        return resume_tournament(resume, address=address, settings=settings, observer=observer, show=show)
    return begin_tournament(references, options, address=address, settings=settings, observer=observer, show=show)


def _print(results: "TournamentResults", *, matrix: bool, json: bool) -> None:
    from rlsweep.reports.tournament_text import render_tournament

    if json:
        print_json(results)
    else:
        render_tournament(results, console(), matrix=matrix)
