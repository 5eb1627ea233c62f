"""`rlsweep train`: one run, through the same code as a sweep's trials, in this process."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rlsweep.cli import call, options
from rlsweep.cli.output import EXIT_FAILED, EXIT_INTERRUPTED, console
from rlsweep.cli.progress import LiveProgress, progress_line
from rlsweep.cli.signals import on_interrupt
from rlsweep.config.run import Mode, RunConfig
from rlsweep.errors import CheckpointError, InputError, StoreUnavailableError, after_start, before_start
from rlsweep.planning.plan import make_run
from rlsweep.runs import Overview, RunStatus, TrainingRun
from rlsweep.storage import Location, check_usable, local_copy

if TYPE_CHECKING:
    from rich.console import Console

    from rlsweep.planning.plan import Trial
    from rlsweep.store.database import Database

WATCH_SECONDS = 1.0


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    app.command()(train)


def train(
    agent_config: Annotated[
        Path | None, typer.Option("--agent-config", metavar="PATH", help="The agent config to train.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="PATH", help="Base training config: environment, budget.")
    ] = None,
    mode: Annotated[
        Mode | None,
        typer.Option("--mode", help="smoke: quick check, detailed logs; full (default): the real thing."),
    ] = None,
    episodes: options.Episodes = None,
    total_timesteps: options.Timesteps = None,
    learning_rate: Annotated[str | None, typer.Option(help="A number, or linear_3.0e-4.")] = None,
    gamma: Annotated[float | None, typer.Option(help="Discount factor.")] = None,
    n_steps: Annotated[int | None, typer.Option(help="Env steps per rollout and environment.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Minibatch size.")] = None,
    n_epochs: Annotated[int | None, typer.Option(help="Epochs per update.")] = None,
    ent_coef: Annotated[float | None, typer.Option(help="Entropy coefficient.")] = None,
    clip_range: Annotated[str | None, typer.Option(help="PPO's clipping range; may be linear_0.2.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of environment, policy, torch and NumPy.")] = None,
    overrides: options.Overrides = None,
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume",
            metavar="RUN|CHECKPOINT",
            help="Go on from a run's last checkpoint, or from the one named; with --agent-config a new run begins "
            "with the policy weights of the file.",
        ),
    ] = None,
    trust: options.Trust = False,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Torch threads.")] = 1,
    address: Annotated[
        str | None,
        typer.Option("--address", help="The Ray cluster for backend: rllib, e.g. auto or 10.0.0.1:6379."),
    ] = None,
) -> None:
    """Train one config for long, with checkpoints that resume."""
    flags = {
        "learning_rate": learning_rate,
        "gamma": gamma,
        "n_steps": n_steps,
        "batch_size": batch_size,
        "n_epochs": n_epochs,
        "ppo.ent_coef": ent_coef,
        "ppo.clip_range": clip_range,
        "seed": seed,
    }
    sets = [*(overrides or ()), *(f"{key}={value}" for key, value in flags.items() if value is not None)]
    if resume is None and agent_config is None:
        raise InputError("Name what to train with --agent-config PATH, or what to go on with by --resume RUN.")
    weights_from = None
    if resume is not None and agent_config is not None:
        weights_from = _file_of_weights(resume)
    elif resume is not None and (config is not None or mode is not None or sets):
        raise InputError(
            "--resume goes on with the run's own config: leave out --config, --mode and overrides "
            "(a larger --episodes or --total-timesteps may be given)."
        )
    trial = None
    if agent_config is not None:
        trial = make_run(
            agent_config,
            base_config=config,
            overrides=sets,
            mode=mode or Mode.FULL,
            episodes=episodes,
            total_timesteps=total_timesteps,
        )
    from rlsweep.attempts.execution import WorkerContext, execute_run
    from rlsweep.attempts.provenance import collect_provenance
    from rlsweep.attempts.resuming import find_run, reopen_run
    from rlsweep.planning.submission import run_of_trial
    from rlsweep.rllib.session import ray_for_run
    from rlsweep.store import sweeps, training_runs
    from rlsweep.store.opening import open_database

    if trial is not None:
        _check(trial, weights_from)
    out = console()
    settings = call.settings()
    check_usable(settings.storage)
    with ExitStack() as stack:
        database = stack.enter_context(open_database(settings))
        if trial is not None:
            training, config_folder = trial.config.training, trial.config_path.parent
        else:
            assert resume is not None
            before = find_run(database, resume, trust=trust)[0]
            training, config_folder = RunConfig.from_record(before.config).training, Path(before.config_path).parent
        stack.enter_context(ray_for_run(training, address=address))
        checkpoint = None
        provenance = collect_provenance(config_folder)  # before the run is on record, for it takes a moment
        if trial is not None:
            run = training_runs.create_single(
                database, run_of_trial(trial), weights_from=None if weights_from is None else str(weights_from)
            )
            for warning in trial.warnings:
                out.print(f"Warning: {warning}", markup=False)
        else:
            assert resume is not None
            run, checkpoint = reopen_run(
                database, resume, episodes=episodes, total_timesteps=total_timesteps, trust=trust
            )
        stack.enter_context(after_start())
        out.print(f"Training run {str(run.id)[:8]}: {run.label}, {run.config['mode']} mode", markup=False)
        context = WorkerContext(
            database_url=database.url, settings=settings, threads=threads, metadata=provenance.as_metadata()
        )
        stop = threading.Event()
        with _progress(database, run, out), on_interrupt(stop.set) as interrupted:
            execute_run(run.id, context, stop=stop, resume_from=checkpoint)
        if run.sweep_id is not None:
            sweeps.settle(database, run.sweep_id)
        run = training_runs.get(database, run.id)
        last = training_runs.latest_checkpoint(database, run.id)
    _tell_end(run, None if last is None else last.uri, out)
    if interrupted.is_set():
        raise typer.Exit(EXIT_INTERRUPTED)
    if run.status is not RunStatus.COMPLETED:
        raise typer.Exit(EXIT_FAILED)


def _file_of_weights(reference: str) -> Location:
    """The file whose policy weights a new run begins with. Raises InputError for a run's id, NotFoundError."""
    from rlsweep.attempts.resuming import checkpoint_path

    path = checkpoint_path(reference)
    if path is None:
        raise InputError(
            f"--resume {reference} goes on with the run's own config: leave out --agent-config, or name a checkpoint's "
            "file, whose weights a new run begins with."
        )
    return path


@before_start()
def _check(trial: "Trial", weights_from: Location | None) -> None:
    """Raise InputError where the environment cannot be made or the weights do not fit: that is no failed run."""
    from rlsweep.envs.make import make_env

    env = make_env(trial.config.training.environment, seed=trial.config.seed)
    try:
        if weights_from is not None:
            from rlsweep.training.weights import load_player

            with local_copy(weights_from) as file:
                load_player(file, trial.config, env)
    except CheckpointError as exc:
        raise InputError(str(exc)) from exc
    finally:
        env.close()


@contextmanager
def _progress(database: "Database", run: TrainingRun, out: "Console") -> Iterator[None]:
    """Show the run's record once a second while the context lasts."""
    from rlsweep.store import training_runs

    done = threading.Event()

    def watch() -> None:
        with LiveProgress(out) as draw:
            while not done.wait(WATCH_SECONDS):
                # Training goes on without the database for a while, and so does watching it.
                with suppress(StoreUnavailableError):
                    draw(Overview.of_all([training_runs.get(database, run.id)]))

    thread = threading.Thread(target=watch, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _tell_end(run: TrainingRun, checkpoint: str | None, out: "Console") -> None:
    out.print(progress_line(run), markup=False, soft_wrap=True)
    if run.error:
        out.print(run.error.rstrip(), markup=False, soft_wrap=True)
    if checkpoint is not None:
        out.print(f"Checkpoint: {checkpoint}", markup=False, soft_wrap=True)
        out.print(f"Play it:    rlsweep eval {str(run.id)[:8]} --episodes 100", markup=False, soft_wrap=True)
    if run.status is not RunStatus.COMPLETED:
        out.print(f"Go on:      rlsweep train --resume {str(run.id)[:8]}", markup=False, soft_wrap=True)
