"""Deleting a sweep or a run: its record, its TensorBoard logs and its checkpoints, together.

Three steps, so that a kill in between leaves nothing on record that silently points to nothing: the record says that
the deletion was begun; the files go; the record goes. Until the last step the deletion can be asked for again, and
knows from the record where files lie. The other order would leave files that nobody finds.
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
    """What a deletion takes away.

    sweep_id: of the sweep that goes; None where it is a single run
    episodes: on record; bytes: of `files` and of those in `folders`
    folders: of checkpoints and TensorBoard logs that exist
    files: what trials kept on this machine while the database was away
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
    """Say what deleting the runs, and the sweep if it is given, would take away.

    Raises DriverBusyError where a live driver or worker has any of them, UnreachableError where they are out of reach.
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
    """Take it all away. Raises DriverBusyError as `plan_deletion`, RlsweepError where a file cannot be removed."""
    deletion.begin(database, planned.runs)
    for folder in planned.folders:
        try:
            remove_tree(folder)  # which may be gone already: a run's logs lie below its sweep's
        except OSError as exc:
            raise RlsweepError(
                f"{folder} cannot be removed: {exc.strerror or exc}. The record is kept; see to it and delete again."
            ) from exc
    for file in planned.files:
        file.unlink(missing_ok=True)
    deletion.finish(database, planned.runs, sweep_id=planned.sweep_id)
    if planned.sweep_id is None:
        for sweep_id in {run.sweep_id for run in planned.runs if run.sweep_id is not None}:
            sweeps.settle(database, sweep_id)


def _folders(database: Database, settings: Settings, runs: Sequence[TrainingRun]) -> set[Location]:
    """Where the runs' files may lie: in the storage folder of now, and in that of their checkpoints' time."""
    places = {run.id: {settings} for run in runs}
    for run_id, uri in deletion.checkpoint_uris(database, runs):
        folder = locate(uri).parent
        then = replace(settings, storage=folder.parent.parent)
        if Paths(then).run_checkpoints(run_id) == folder:
            if isinstance(folder, Path) and not folder.parent.is_dir():
                raise StorageUnavailableError(
                    f"{folder.parent} is not there, where checkpoints on record lie: mount it, or delete where it is. "
                    "If its files are gone for good, make an empty folder of that name."
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
