"""Resume a run: find it and its checkpoint, and set its budget."""

from pathlib import PurePath
from uuid import UUID

from rlsweep.checkpoint_format import SUFFIX
from rlsweep.config.run import Budget, RunConfig
from rlsweep.errors import InputError, NotFoundError, UntrustedFileError, before_start
from rlsweep.reports.commands import train_long
from rlsweep.runs import TrainingRun
from rlsweep.storage import Location, locate
from rlsweep.store import sweeps, training_runs, transitions
from rlsweep.store.database import Database


@before_start()
def checkpoint_path(reference: str) -> Location | None:
    """The location of the checkpoint that `reference` names; None if it names a run.

    Raises NotFoundError if the file does not exist, UnreachableError if the storage does not answer.
    """
    if PurePath(reference).suffix != SUFFIX:
        return None
    path = locate(reference)
    if not path.is_file():
        raise NotFoundError(f"Checkpoint not found: {reference}.")
    return path


def run_of_file(database: Database, path: Location) -> TrainingRun | None:
    """The run that wrote the file, found by its checksum, so that a moved file is found too; None if there is none."""
    from rlsweep.training.checkpoints import checksum

    return training_runs.of_checksum(database, checksum(path))


@before_start()
def find_run(database: Database, reference: str, *, trust: bool) -> tuple[TrainingRun, Location | None]:
    """Find a run by its id or by one of its checkpoints; return that checkpoint's location too.

    trust: assume that an unrecorded file belongs to the run whose id is its folder's name
    Raises NotFoundError, UnreachableError, and UntrustedFileError for an unrecorded file without `trust`.
    """
    path = checkpoint_path(reference)
    if path is None:
        return training_runs.get(database, reference), None
    run = run_of_file(database, path)
    if run is not None:
        return run, path
    if not trust:
        raise UntrustedFileError(
            f"{reference} is not recorded by any training run, and resuming from it may execute code. If you trust "
            "its source, add --trust; to begin a new run with only its weights, add --agent-config CONFIG."
        )
    try:
        return training_runs.get(database, UUID(path.parent.name)), path
    except (ValueError, NotFoundError):
        raise NotFoundError(
            f"{reference} belongs to no recorded training run, so its config is unknown. Begin a new run with its "
            "weights (add --agent-config CONFIG), or give a run's id, which `rlsweep runs` lists."
        ) from None


def reopen_run(
    database: Database,
    reference: str,
    *,
    episodes: int | None,
    total_timesteps: int | None,
    keep_schedule: bool = False,
    trust: bool,
) -> tuple[TrainingRun, Location | None]:
    """Set an ended run to pending, with a larger budget if one is given.

    keep_schedule: schedules run over the budget that they had, and then stay at their last value

    Raises InputError if nothing is left to do, or if the run is a trial of a sweep and would get another budget than
    the other trials; DriverBusyError while another process trains it; and the errors of `find_run`.
    """
    run, checkpoint = find_run(database, reference, trust=trust)
    if episodes is None and total_timesteps is None:
        if keep_schedule:
            raise InputError(
                "--keep-schedule is for a larger budget: add --total-timesteps or --episodes, or leave it out."
            )
        return transitions.reopen(database, run.id), checkpoint
    if run.sweep_id is not None:
        raise InputError(
            f"{run.label} is a trial of a sweep; with another budget it could not be compared with the others. "
            f"Train its config alone: {train_long(run, sweeps.get(database, str(run.sweep_id)))}"
        )
    for flag, wanted, done in (
        ("--episodes", episodes, run.episodes),
        ("--total-timesteps", total_timesteps, run.env_steps),
    ):
        if wanted is not None and wanted <= done:
            raise InputError(f"{flag} {wanted}: {run.label} has already done {done:,}; give a larger total.")
    before = RunConfig.from_record(run.config)
    config = before.model_copy(
        update={
            "budget": Budget(episodes=episodes, total_timesteps=total_timesteps),
            "schedule_budget": before.scheduled_over if keep_schedule else None,
        }
    )
    return transitions.reopen(database, run.id, config=config.to_record()), checkpoint
