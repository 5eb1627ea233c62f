"""Execute one attempt of one run, from its start to its final status, both under Ray and under `rlsweep train`."""

import logging
import socket
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from rlsweep.attempts.copying import make_copy
from rlsweep.attempts.process_exits import DEATH, fault_file, remove_faults, report_exits, write_faults
from rlsweep.attempts.recorder import PATIENCE_SECONDS, StoreRecorder
from rlsweep.attempts.spool import Spool, send_left
from rlsweep.cluster.working_folder import missing_file_hint
from rlsweep.config.run import RunConfig
from rlsweep.errors import (
    DivergedError,
    EnvironmentStateError,
    RlsweepError,
    SpoolLostError,
    StaleAttemptError,
    StoreUnavailableError,
)
from rlsweep.imports import import_to_stay
from rlsweep.paths import Paths
from rlsweep.population_records import CopyToMake
from rlsweep.process_identity import own_process
from rlsweep.runs import Actor, Checkpoint, EndReason, RunStatus, TrainingRun
from rlsweep.settings import Settings
from rlsweep.storage import Location, locate
from rlsweep.store import exploits, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.store.kept_connection import KeptConnection
from rlsweep.store.retry import retry_while_away
from rlsweep.training.recorder import WAITED_FOR

if TYPE_CHECKING:
    from rlsweep.training.remote_workers import RemoteWorkers
    from rlsweep.training.session import Result

logger = logging.getLogger(__name__)

SLOTS_WITH_CONNECTIONS = 8
"""If at most this many trials run at a time, each keeps a connection to the database; else a transaction opens one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerContext:
    """What a process needs to execute runs. It contains the database's password: never log or store it.

    threads: torch threads of one trial, from its CPU request
    metadata: metadata of every run: versions, git commit, command
    actor: this process's Ray actor; None without Ray
    folder: where the user typed the command; trials run there if it exists on their node. None for any folder
    code_folder: folder from which trials import the user's environments, in addition to installed packages
    patience_seconds: how long the start and the end of a run retry while the database is unreachable
    slots: trials of the sweep at the same time
    """

    database_url: str
    settings: Settings
    threads: int
    metadata: dict[str, Any] = field(default_factory=dict)
    actor: Actor | None = None
    folder: Path | None = None
    code_folder: Path | None = None
    patience_seconds: float = PATIENCE_SECONDS
    slots: int = 1


def execute_run(
    run_id: UUID,
    context: WorkerContext,
    *,
    resume_from: Location | None = None,
    stop: threading.Event,
    stop_elsewhere: Callable[[], bool] = lambda: False,
    on_spool: Callable[[int], None] = lambda _: None,
) -> RunStatus:
    """Begin a new attempt of the run, train it, and record its final status.

    stop: ends the run at the next env step once set
    stop_elsewhere: called while the database is unreachable, to ask whether to stop
    on_spool: called while the database is unreachable, and once it is back, with the bytes of records that wait for it

    The run resumes from `resume_from`, or from its last checkpoint, or starts from the beginning, with the weights of
    `weights_from` if its record has one. A run that has finished or stopped meanwhile is not changed. An exception of
    the run itself (a broken environment, a diverged loss) is caught and recorded as its error, so that the process can
    execute other runs. A KeyboardInterrupt records the run as stopped and passes through.

    Raises StoreUnavailableError if the start or the end cannot be recorded in time, SpoolLostError if records that
    waited for the database are lost, and StaleAttemptError if a newer attempt of the run exists.
    """
    with closing(_database(context)) as database:
        metadata = context.metadata | {"host": socket.gethostname(), "process": own_process()}
        spool = Paths(context.settings).spool
        wait = partial(retry_while_away, seconds=context.patience_seconds, until=stop_elsewhere)
        wait(lambda: send_left(database, spool, run_id))
        run: TrainingRun | None = wait(
            lambda: transitions.begin_attempt(database, run_id, metadata, actor=context.actor)
        )
        if run is None:
            return wait(lambda: training_runs.get(database, run_id)).status
        attempt = run.attempt
        final: Result | None = None
        on_record = wait(lambda: training_runs.checkpoints_to_go_on_from(database, run_id))
        copy, held = wait(lambda: exploits.before_attempt(database, run_id))
        recorder = StoreRecorder(
            database,
            run,
            on_record=on_record,
            spool=Spool(spool, run_id, attempt),
            stop=stop,
            stop_elsewhere=stop_elsewhere,
            on_spool=on_spool,
            patience_seconds=context.patience_seconds,
        )
        try:
            start = _Start(on_record=on_record, resume_from=resume_from, copy=copy, held=held)
            result, error = _train(run, start, recorder, context), None
            reason = EndReason(result.status.value)
            final = None if result.status is RunStatus.STOPPED else result
        except (StaleAttemptError, StoreUnavailableError, SpoolLostError):
            raise
        except KeyboardInterrupt:
            with suppress(StoreUnavailableError):
                transitions.finish(database, run_id, attempt, EndReason.STOPPED)
            raise
        except Exception as failure:  # noqa: BLE001 - any error of a run is recorded
            reason, error = _end_by(failure, context, stop_requested=stop.is_set())
        return wait(lambda: transitions.finish(database, run_id, attempt, reason, error, final=final)).status


def _database(context: WorkerContext) -> Database:
    """For one thread at a time: the recorder's while it runs, the one that trains before and after."""
    kind = KeptConnection if context.slots <= SLOTS_WITH_CONNECTIONS else Database
    return kind(context.database_url)


def _end_by(failure: Exception, context: WorkerContext, *, stop_requested: bool) -> tuple[EndReason, str | None]:
    """Why a run ended that raised an exception, and the error for its record."""
    if not isinstance(failure, RlsweepError):
        return EndReason.FAILED, _with_hint("".join(traceback.format_exception(failure)), failure, context)
    if stop_requested and isinstance(failure.__cause__, SystemExit):
        return EndReason.STOPPED, None  # Ray raises it in the environment's code to kill a trial that did not stop
    error = f"{_users_traceback(failure)}{type(failure).__name__}: {failure}"
    reason = EndReason.DIVERGED if isinstance(failure, DivergedError) else EndReason.FAILED
    return reason, _with_hint(error, failure, context)


def _record_exit(run: TrainingRun, recorder: StoreRecorder, context: WorkerContext, cause: str) -> None:
    """Record why this process is about to end. Without Ray, which would start the run again, that is the run's end."""
    recorder.send_last({DEATH: cause})
    if context.actor is not None:
        return
    error = f"The process that trained ended with {cause}."
    logger.error("%s", error)
    with suppress(StoreUnavailableError, StaleAttemptError):
        transitions.finish(Database(context.database_url), run.id, run.attempt, EndReason.FAILED, error)


def _write_faults(run: TrainingRun, context: WorkerContext) -> AbstractContextManager[None]:
    """Under Ray, keep why a fatal signal ended the process, for the driver; elsewhere the caller sees the signal."""
    if context.actor is None:
        return nullcontext()
    spool = Paths(context.settings).spool
    remove_faults(spool, run.id)
    return write_faults(fault_file(spool, run.id, run.attempt))


def _with_hint(error: str, failure: BaseException, context: WorkerContext) -> str:
    """Add to the last line of an error, which lists show, what to do about a missing file."""
    hint = missing_file_hint(failure, context.folder)
    return error if hint is None else f"{error.rstrip().removesuffix('.')}. {hint}"


def _users_traceback(failure: RlsweepError) -> str:
    """The traceback of the exception that the user's environment raised, for the record; empty for any other error."""
    from rlsweep.envs.user_code import is_raised_by_user

    cause = failure.__cause__
    if not isinstance(failure, EnvironmentStateError) or cause is None:
        return ""
    if cause.__traceback__ is None:  # of another process, as text
        return f"{cause}\n"
    return "".join(traceback.format_exception(cause)) + "\n" if is_raised_by_user(cause) else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Start:
    """Where an attempt begins.

    on_record: the run's checkpoints, the one to resume from first
    resume_from: a checkpoint to resume from in place of these; copy: what it begins with in place of its own state
    held: URIs of checkpoints that it keeps
    """

    on_record: Sequence[Checkpoint]
    resume_from: Location | None
    copy: CopyToMake | None
    held: Sequence[str]


def _train(run: TrainingRun, start: _Start, recorder: StoreRecorder, context: WorkerContext) -> "Result":
    # imported here: only the process that trains loads torch and the environments
    if context.actor is not None:
        import_to_stay("rlsweep.training.train")
    from rlsweep.training.train import train
    from rlsweep.training.waiting import report_waiting

    config = RunConfig.from_record(run.config)
    paths = Paths(context.settings)
    folder = paths.run_checkpoints(run.id)
    with (
        recorder,
        report_exits(partial(_record_exit, run, recorder, context)),
        _write_faults(run, context),
        report_waiting(config.training.environment.id, lambda text: recorder.add_facts({WAITED_FOR: text})),
    ):
        if start.copy is None:
            checkpoint = start.resume_from or _sound_checkpoint(start.on_record, run, recorder)
        else:
            checkpoint = make_copy(start.copy, folder=folder, config=config, attempt=run.attempt, recorder=recorder)
        result = train(
            config,
            recorder,
            checkpoint_folder=folder,
            tensorboard_folder=paths.run_tensorboard(run.sweep_id, run.config_short_name, run.seed, run.id),
            resume_from=checkpoint,
            weights_from=locate(run.weights_from) if run.weights_from and checkpoint is None else None,
            attempt=run.attempt,
            threads=context.threads,
            workers=_workers(config),
            pause_at=run.pause_at,
            held=start.held,
        )
        if result.status is not RunStatus.STOPPED:
            recorder.overtake()
        return result


def _workers(config: RunConfig) -> "RemoteWorkers | None":
    """The remote workers of the run's backend; None if this process trains."""
    if config.training.backend == "sb3":
        return None
    from rlsweep.rllib.workers import RLlibWorkers

    return RLlibWorkers(config)


def _sound_checkpoint(on_record: Sequence[Checkpoint], run: TrainingRun, recorder: StoreRecorder) -> Location | None:
    """The checkpoint to resume from: the last one whose file is undamaged; None if there is none.

    Also removes the records of files that an attempt deleted before it died. Raises CheckpointError if a file cannot be
    read, and StorageUnavailableError.
    """
    from rlsweep.training.checkpoints import is_damaged, is_removed

    removed = [checkpoint.uri for checkpoint in on_record if is_removed(checkpoint)]
    recorder.drop_checkpoints(removed)
    damaged: list[str] = []
    sound = None
    for checkpoint in on_record:
        if checkpoint.uri in removed:
            continue
        if not is_damaged(checkpoint):
            sound = checkpoint
            break
        damaged.append(checkpoint.uri)
    if damaged:
        start = "from the beginning" if sound is None else f"from {sound.uri}"
        warning = f"Damaged checkpoints: {', '.join(damaged)}. The run continued {start}."
        logger.warning("run %s: %s", run.id, warning)
        recorder.add_facts({"warning": warning})
    return None if sound is None else locate(sound.uri)
