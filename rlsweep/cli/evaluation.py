"""`rlsweep eval`: play a trained policy."""

from pathlib import Path
from typing import Annotated

import typer

from rlsweep.analysis.wording import number, percent, plural
from rlsweep.api.plan import PlanOptions
from rlsweep.cli import call, completion, options
from rlsweep.cli.output import print_json


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    app.command(name="eval")(evaluate)


def evaluate(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="RUN|CHECKPOINT",
            help="A run's id (its last checkpoint), or a checkpoint's path or URI.",
            autocompletion=completion.runs,
        ),
    ],
    episodes: Annotated[int, typer.Option("--episodes", min=1, help="Episodes to play.")] = 100,
    opponent: Annotated[
        str | None, typer.Option("--opponent", help="random, mcts, mcts:SIMULATIONS, or a checkpoint's path or URI.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the episodes.")] = 0,
    trust: options.Trust = False,
    agent_config: Annotated[
        Path | None,
        typer.Option(
            "--agent-config",
            metavar="PATH",
            help="Of a zip of stock SB3: the agent config of its algorithm and network.",
        ),
    ] = None,
    base_config: Annotated[
        Path | None,
        typer.Option(
            "--base-config", metavar="PATH", help="Of a zip of stock SB3: the training config of its environment."
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Of a zip of stock SB3: override a config key, e.g. environment=CartPole-v1.",
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Play a trained policy, deterministic and masked, and print its mean reward and win rate."""
    from rlsweep.api.policy import Which, find_policy, given_config, play_policy

    given = given_config(agent_config, PlanOptions(base_config=base_config, overrides=tuple(overrides or ())))
    settings = call.settings()
    found = find_policy(reference, Which.LATEST, settings)
    run, checkpoint = found.run, found.location
    summary = play_policy(
        found, given=given, episodes=episodes, opponent=opponent, seed=seed, trust=trust, settings=settings
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
