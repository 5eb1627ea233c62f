"""Delete a sweep or a run with its record, TensorBoard logs and checkpoints.

A deletion has three steps: mark the record, delete the files, delete the record. If the process is killed in between,
the record says that a deletion began, still names the files, and the deletion can be repeated. If the record were
deleted first, files could remain that no record names.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from rlsweep.attempts.spool import left_of
from rlsweep.errors import RlsweepError, StorageUnavailableError, before_start
from rlsweep.paths import Paths
from rlsweep.runs import TrainingRun
from rlsweep.settings import Settings
from rlsweep.storage import Location, locate, remove_tree, sizes_below
from rlsweep.store import deletion, sweeps
from rlsweep.store.database import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class DeletionPlan:
    """What a deletion removes.

    sweep_id: the sweep to delete; None for a single run
    episodes: number of recorded episodes
    folders: existing folders of checkpoints and TensorBoard logs
    files: spool files of the runs on this machine
    bytes: size of all files
    """

    sweep_id: UUID | None
    runs: tuple[TrainingRun, ...]
    episodes: int
    folders: tuple[Location, ...]
    files: tuple[Path, ...]
    bytes: int


@before_start()
def plan_deletion(
    database: Database, settings: Settings, runs: Sequence[TrainingRun], *, sweep_id: UUID | None
) -> DeletionPlan:
    """Return what deleting the runs, and the sweep if given, would remove.

    Raises DriverBusyError if a live driver or worker has any of the runs, UnreachableError if the database or the
    storage cannot be reached.
    """
    deletion.check_idle(database, runs)
    found = _folders(database, settings, runs)
    if sweep_id is not None:
        found.add(Paths(settings).sweep_tensorboard(sweep_id))
    inside = {folder: sizes_below(folder) for folder in sorted(found, key=str)}
    folders = tuple(
        folder for folder, sizes in inside.items() if sizes or (isinstance(folder, Path) and folder.is_dir())
    )
    spooled = tuple(file for run in runs for file in left_of(Paths(settings).spool, run.id))
    sizes = {str(file): file.lstat().st_size for file in spooled}
    for below in inside.values():
        sizes |= below
    return DeletionPlan(
        sweep_id=sweep_id,
        runs=tuple(runs),
        episodes=deletion.count_episodes(database, runs),
        folders=folders,
        files=spooled,
        bytes=sum(sizes.values()),
    )


def delete(database: Database, planned: DeletionPlan) -> None:
    """Remove everything in the plan.

    Raises DriverBusyError as `plan_deletion` does, RlsweepError if a file cannot be removed.
    """
    deletion.begin(database, planned.runs)
    for folder in planned.folders:
        try:
            remove_tree(folder)  # may be removed already: a run's logs are in its sweep's folder
        except OSError as exc:
            raise RlsweepError(
                f"{folder} cannot be removed: {exc.strerror or exc}. The record is kept; fix this and delete again."
            ) from exc
    for file in planned.files:
        file.unlink(missing_ok=True)
    deletion.finish(database, planned.runs, sweep_id=planned.sweep_id)
    if planned.sweep_id is None:
        for sweep_id in {run.sweep_id for run in planned.runs if run.sweep_id is not None}:
            sweeps.settle(database, sweep_id)


def _folders(database: Database, settings: Settings, runs: Sequence[TrainingRun]) -> set[Location]:
    """The folders that may have files of the runs: in the current storage, and in the storage of their checkpoints."""
    places = {run.id: {settings} for run in runs}
    for run_id, uri in deletion.checkpoint_uris(database, runs):
        folder = locate(uri).parent
        then = replace(settings, storage=folder.parent.parent)
        if Paths(then).run_checkpoints(run_id) == folder:
            if isinstance(folder, Path) and not folder.parent.is_dir():
                raise StorageUnavailableError(
                    f"{folder.parent} does not exist, but recorded checkpoints are in it: mount it, or delete on a "
                    "machine that has it. If its files are lost, create an empty folder with this name."
                )
            places[run_id].add(then)
    return {
        folder
        for run in runs
        for paths in map(Paths, places[run.id])
        for folder in (
            paths.run_checkpoints(run.id),
            paths.run_tensorboard(run.sweep_id, run.config_short_name, run.seed, run.id),
        )
    }
