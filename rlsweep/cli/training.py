"""`rlsweep train`: one run, through the same code as a sweep's trials, in this process."""

from dataclasses import fields
from typing import TYPE_CHECKING, Annotated

import typer

from rlsweep.api.train import TrainingOptions
from rlsweep.cli import call, options
from rlsweep.cli.flag_blocks import with_flag_blocks
from rlsweep.cli.observer import ConsoleObserver
from rlsweep.cli.output import EXIT_FAILED, EXIT_INTERRUPTED, console
from rlsweep.config.run import Mode
from rlsweep.errors import InputError
from rlsweep.planning.plan import make_run
from rlsweep.reports.progress import progress_line

if TYPE_CHECKING:
    from rlsweep.api.train import RunOutcome

_KEYS = {"ent_coef": "ppo.ent_coef", "clip_range": "ppo.clip_range"}
"""The config keys of flags that are named otherwise."""


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    app.command()(with_flag_blocks(train))


def train(
    *,
    agent_config: options.AgentConfig = None,
    base_config: options.BaseConfig = None,
    mode: Annotated[
        Mode | None,
        typer.Option("--mode", help="smoke: quick check, detailed logs; full (default): the real thing."),
    ] = None,
    episodes: options.Episodes = None,
    total_timesteps: options.Timesteps = None,
    hyperparameters: options.Hyperparameters,
    overrides: options.Overrides = None,
    resume: options.Resume = None,
    keep_schedule: options.KeepSchedule = False,
    trust: options.Trust = False,
    training: TrainingOptions,
) -> None:
    """Train one config for long, with checkpoints that resume."""
    from rlsweep.api.train import resume_run
    from rlsweep.api.train import train as train_run

    sets = [*(overrides or ()), *_overrides(hyperparameters)]
    settings, observer = call.settings(), ConsoleObserver(console())
    if keep_schedule and (agent_config is not None or resume is None):
        raise InputError(
            "--keep-schedule is for a run that goes on with a larger budget: add --resume RUN, or leave it out."
        )
    if agent_config is not None:
        trial = make_run(
            agent_config,
            base_config=base_config,
            overrides=sets,
            mode=mode or Mode.FULL,
            episodes=episodes,
            total_timesteps=total_timesteps,
        )
        outcome = train_run(trial, weights_from=resume, settings=settings, observer=observer, options=training)
    elif resume is None:
        raise InputError("Name what to train with --agent-config PATH, or the run to continue with --resume RUN.")
    elif base_config is not None or mode is not None or sets:
        raise InputError(
            "--resume continues a run with its own config: leave out --base-config, --mode and overrides "
            "(a larger --episodes or --total-timesteps may be given)."
        )
    else:
        outcome = resume_run(
            resume,
            episodes=episodes,
            total_timesteps=total_timesteps,
            keep_schedule=keep_schedule,
            trust=trust,
            settings=settings,
            observer=observer,
            options=training,
        )
    _tell_end(outcome, observer)
    raise typer.Exit(_exit_code(outcome))


def _overrides(hyperparameters: options.Hyperparameters) -> list[str]:
    """KEY=VALUE for each flag that was given."""
    given = {_KEYS.get(each.name, each.name): getattr(hyperparameters, each.name) for each in fields(hyperparameters)}
    return [f"{key}={value}" for key, value in given.items() if value is not None]


def _tell_end(outcome: "RunOutcome", observer: ConsoleObserver) -> None:
    run = outcome.run
    observer.message(progress_line(run))
    if run.error_text:
        observer.message(run.error_text.rstrip() if call.debug() else str(run.error))
    if outcome.checkpoint is not None:
        observer.message(f"Checkpoint:  {outcome.checkpoint}")
        observer.message(f"Play it:     rlsweep eval {str(run.id)[:8]} --episodes 100")
    if not outcome.is_completed:
        observer.message(f"Continue it: rlsweep train --resume {str(run.id)[:8]}")


def _exit_code(outcome: "RunOutcome") -> int:
    if outcome.is_interrupted:
        return EXIT_INTERRUPTED
    return 0 if outcome.is_completed else EXIT_FAILED
