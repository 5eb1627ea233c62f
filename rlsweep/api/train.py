"""Training one run in this process, through the same code as a sweep's trials."""

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rlsweep.analysis.wording import labelled, percent
from rlsweep.api.opening import database_of
from rlsweep.config.run import RunConfig
from rlsweep.errors import CheckpointError, InputError, after_start, before_start
from rlsweep.places.observer import ProgressObserver
from rlsweep.planning.endless import endless_warning
from rlsweep.planning.plan import Trial
from rlsweep.runs import RunStatus, TrainingRun
from rlsweep.settings import Settings
from rlsweep.stages import stage
from rlsweep.storage import Location, check_usable, local_copy

if TYPE_CHECKING:
    import gymnasium as gym

    from rlsweep.store.database import Database
    from rlsweep.training.environment_check import Checked


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingOptions:
    """How a single run is trained.

    threads: of torch
    address: of the Ray cluster for a run with backend: rllib; None starts a Ray for it
    """

    threads: int = 1
    address: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOutcome:
    """A run as it ended.

    checkpoint: path or URI of its last one; None where it has none
    is_interrupted: whether the user asked it to stop
    """

    run: TrainingRun
    checkpoint: str | None
    is_interrupted: bool

    @property
    def is_completed(self) -> bool:
        """Whether it spent its whole budget."""
        return self.run.status is RunStatus.COMPLETED


def train(
    trial: Trial,
    *,
    weights_from: str | None = None,
    settings: Settings,
    observer: ProgressObserver,
    options: TrainingOptions,
) -> RunOutcome:
    """Train a new run to the end of its budget.

    weights_from: path or URI of the checkpoint whose policy weights it begins with
    Raises InputError, with nothing on record, for what cannot be used. What a run fails of by itself is on its record.
    """
    from rlsweep.attempts.provenance import collect_provenance
    from rlsweep.planning.submission import run_of_trial
    from rlsweep.rllib.session import ray_for_run
    from rlsweep.store import transitions

    weights = None if weights_from is None else _weights_file(weights_from)
    checked = _check(trial.config, weights)
    check_usable(settings.storage)
    database = database_of(settings)
    with ray_for_run(trial.config.training, address=options.address):
        provenance = collect_provenance(trial.config_folder)  # before the run is on record: it takes a moment
        # also before: output that cannot be written, as on a full disk, leaves no run that nobody trains
        _tell_of_environment(checked, trial.config, observer)
        for warning in trial.warnings:
            observer.warning(warning)
        run = transitions.create_single(
            database, run_of_trial(trial), weights_from=None if weights is None else str(weights)
        )
        return _train(database, run, settings, observer, options, provenance.as_metadata())


def resume_run(
    reference: str,
    *,
    episodes: int | None = None,
    total_timesteps: int | None = None,
    keep_schedule: bool = False,
    trust: bool = False,
    settings: Settings,
    observer: ProgressObserver,
    options: TrainingOptions,
) -> RunOutcome:
    """Continue a run from its last checkpoint, or from the one that is named. A paused run trains to its end.

    reference: id of a run or its start, or path or URI of one of its checkpoints
    episodes, total_timesteps: a larger budget, in all; None keeps the run's own
    keep_schedule: linear schedules run over the budget that they had, and stay at their last value; otherwise they run
        over the larger budget
    trust: load a checkpoint that is on no run's record; it may execute code
    Raises InputError where nothing is left to do; NotFoundError, UntrustedFileError, DriverBusyError.
    """
    from rlsweep.attempts.provenance import collect_provenance
    from rlsweep.attempts.resuming import find_run, reopen_run
    from rlsweep.attempts.schedules import schedule_warning
    from rlsweep.rllib.session import ray_for_run

    check_usable(settings.storage)
    database = database_of(settings)
    before, _ = find_run(database, reference, trust=trust)
    config = RunConfig.from_record(before.config)
    checked = _check(config)
    with ray_for_run(config.training, address=options.address):
        provenance = collect_provenance(before.config_folder)
        run, checkpoint = reopen_run(
            database,
            reference,
            episodes=episodes,
            total_timesteps=total_timesteps,
            keep_schedule=keep_schedule,
            trust=trust,
        )
        _tell_of_environment(checked, RunConfig.from_record(run.config), observer)
        if before.pause_at is not None:
            observer.message(f"{run.label} was to pause at {percent(before.pause_at)} of its budget; now it trains on.")
        warning = schedule_warning(
            config, RunConfig.from_record(run.config), episodes=run.episodes, env_steps=run.env_steps
        )
        if warning is not None:
            observer.warning(warning)
        return _train(database, run, settings, observer, options, provenance.as_metadata(), resume_from=checkpoint)


@after_start()
def _train(
    database: "Database",
    run: TrainingRun,
    settings: Settings,
    observer: ProgressObserver,
    options: TrainingOptions,
    metadata: dict[str, Any],
    *,
    resume_from: Location | None = None,
) -> RunOutcome:
    """Train a run that is on record; a first signal stops it, a second one ends it at once."""
    from rlsweep.attempts.execution import WorkerContext, execute_run
    from rlsweep.places.interrupts import on_interrupt
    from rlsweep.places.watching import watched
    from rlsweep.store import sweeps, training_runs

    observer.message(f"Training run {str(run.id)[:8]}: {run.label}, {run.mode} mode")
    context = WorkerContext(database_url=database.url, settings=settings, threads=options.threads, metadata=metadata)
    stop = threading.Event()
    with watched(database, run, observer), on_interrupt(stop.set) as interrupted:
        execute_run(run.id, context, stop=stop, resume_from=resume_from)
    if run.sweep_id is not None:
        sweeps.settle(database, run.sweep_id)
    last = training_runs.latest_checkpoint(database, run.id)
    return RunOutcome(
        run=training_runs.get(database, run.id),
        checkpoint=None if last is None else last.uri,
        is_interrupted=interrupted.is_set(),
    )


def _tell_of_environment(checked: "Checked", config: RunConfig, observer: ProgressObserver) -> None:
    for line in labelled(checked.facts):
        observer.message(line)
    if not checked.episodes and (warning := endless_warning(config)) is not None:
        observer.warning(warning)


def _weights_file(reference: str) -> Location:
    """The file whose policy weights a new run begins with. Raises InputError for a run's id, NotFoundError."""
    from rlsweep.attempts.resuming import checkpoint_path

    path = checkpoint_path(reference)
    if path is None:
        raise InputError(
            f"--resume {reference} continues the run with its own config: leave out --agent-config, or name a "
            "checkpoint's file, whose weights a new run begins with."
        )
    return path


@before_start()
def _check(config: RunConfig, weights_from: Location | None = None) -> "Checked":
    """Raise InputError where the environment cannot be trained, the policy cannot be made, or the weights do not fit.

    That is no failed run.
    """
    from rlsweep.attempts.process_exits import log_exit, report_exits

    with stage("Loading libraries"):
        from rlsweep.training.environment_check import check_environment
        from rlsweep.training.evaluation import make_evaluation_env
        from rlsweep.training.waiting import report_waiting
        from rlsweep.training.weights import build_player, set_policy_weights

    def check_policy(env: "gym.Env[Any, Any]") -> None:
        player = build_player(config, env)
        if config.has_evaluation_environment:
            make_evaluation_env(config).close()  # a simulator may not allow a second instance
        if weights_from is not None:
            with local_copy(weights_from) as file:
                set_policy_weights(player, file, config)

    try:
        with (
            report_waiting(config.training.environment.id),
            report_exits(log_exit),
            stage(f"Checking {config.training.environment.id}"),
        ):
            return check_environment(config, then=check_policy)
    except CheckpointError as exc:
        raise InputError(str(exc)) from exc
