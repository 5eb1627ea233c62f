"""`rlsweep eval`: play a trained policy."""

from typing import TYPE_CHECKING, Annotated

import typer

from rlsweep.analysis.wording import number, percent, plural
from rlsweep.cli import call
from rlsweep.cli.options import Json, Trust
from rlsweep.cli.output import print_json
from rlsweep.errors import NotFoundError, before_start
from rlsweep.storage import Location, local_copy, locate

if TYPE_CHECKING:
    from rlsweep.runs import TrainingRun


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    app.command(name="eval")(evaluate)


def evaluate(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="RUN|CHECKPOINT", help="A run's id (its last checkpoint), or a checkpoint's path or URI."
        ),
    ],
    episodes: Annotated[int, typer.Option("--episodes", min=1, help="How many to play.")] = 100,
    opponent: Annotated[
        str | None, typer.Option("--opponent", help="random, mcts, mcts:SIMULATIONS, or a checkpoint's path or URI.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Other seeds play other episodes.")] = 0,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Play a trained policy, deterministic and masked, and count."""
    run, checkpoint = _find(reference)
    from rlsweep.training.evaluate import evaluate as play

    with before_start(), local_copy(checkpoint) as file:  # an evaluation leaves nothing behind
        summary = play(
            file,
            episodes=episodes,
            seed=seed,
            opponent=opponent,
            is_trusted=lambda: trust or _is_on_record(file),
        )
    if json:
        return print_json({"run": None if run is None else run.id, "checkpoint": str(checkpoint), "summary": summary})
    interval = "" if summary.reward_half_width is None else f" ± {number(summary.reward_half_width)} (95%)"
    name = checkpoint.name if run is None else f"{run.label}, {checkpoint.name}"
    typer.echo(f"{name}: {plural(summary.episodes, 'episode')}")
    typer.echo(f"mean reward {number(summary.mean_reward)}{interval}, mean length {number(summary.mean_length)}")
    if summary.win_rate is not None:
        typer.echo(
            f"win rate {percent(summary.win_rate)}: {summary.wins} won, {summary.draws} drawn, {summary.losses} lost"
        )
    return None


def _find(reference: str) -> tuple["TrainingRun | None", Location]:
    """The run and its last checkpoint; for a checkpoint's path no run, for the file by itself holds all that is needed.

    Raises NotFoundError.
    """
    from rlsweep.attempts.resuming import checkpoint_path
    from rlsweep.store import training_runs
    from rlsweep.store.opening import open_database

    path = checkpoint_path(reference)
    if path is not None:
        return None, path

    with open_database(call.settings()) as database:
        run = training_runs.get(database, reference)
        last = training_runs.latest_checkpoint(database, run.id)
    if last is None:
        raise NotFoundError(f"{run.label} has no checkpoint yet: it is {run.status}.")
    return run, locate(last.uri)


def _is_on_record(checkpoint: Location) -> bool:
    from rlsweep.attempts.resuming import run_of_file
    from rlsweep.store.opening import open_database

    with open_database(call.settings()) as database:
        return run_of_file(database, checkpoint) is not None
