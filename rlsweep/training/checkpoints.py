"""Write, rotate and read a run's checkpoints. A checkpoint file is always complete: it is renamed when finished.

rlsweep/checkpoint_format.py describes the files. Stock `load` of the algorithm's SB3 class opens them.
"""

import hashlib
import json
import os
import threading
import zipfile
from collections.abc import Callable, Collection
from concurrent.futures import Future, wait
from contextlib import ExitStack
from dataclasses import dataclass
from io import BufferedRandom, BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from rlsweep.checkpoint_format import (
    BEST_NAME,
    OBSERVATIONS_KEY,
    OPPONENTS_MEMBER,
    RECORD_MEMBER,
    SNAPSHOT_MEMBER,
    STATISTICS_MEMBER,
    SUFFIX,
    UNFINISHED_SUFFIX,
    numbered_name,
    parse_numbered_name,
)
from rlsweep.config.run import RunConfig
from rlsweep.errors import CheckpointError
from rlsweep.runs import Checkpoint
from rlsweep.scratch import scratch_folder
from rlsweep.storage import Location, local_copy, locate, put, with_retries
from rlsweep.training.progress import Progress
from rlsweep.training.recorder import Recorder
from rlsweep.training.snapshot import RunSnapshot
from rlsweep.training.unpickling import unpickle
from rlsweep.training.vector import observation_scale

_WITHOUT_RECORD = (
    "To play it, name its algorithm and network with --agent-config CONFIG and its environment with --base-config BASE "
    "or --set environment=ID (rlsweep eval); to train on from its weights: rlsweep train --resume FILE "
    "--agent-config CONFIG."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedRun:
    """A run's state in a checkpoint, in addition to SB3's own members.

    snapshot: the run between two rollouts
    config: the run's config
    """

    snapshot: RunSnapshot
    config: RunConfig


class CheckpointFolder:
    """The checkpoints of one run: the last `keep_last_n_checkpoints` numbered ones and `best.zip`. A context manager.

    The newest recorded checkpoint is kept as well, even if it is older: the database learns of a new one with a
    delay, and a killed run resumes from the newest recorded one.

    Each checkpoint is written on this machine. A thread then makes it durable and renames it, or uploads it to a URI,
    while training continues; the next save waits for that. The recorder gets a checkpoint when its file is complete.

    attempt: number of this attempt, part of the file names. Only files of this attempt and files that existed before
        it are deleted: a process that was wrongly considered dead may still write here.
    first_step: env steps at which this attempt begins. Later numbered checkpoints belong to an abandoned attempt. They
        are deleted after this attempt's first save; the newest recorded one of them is deleted once that save is
        recorded, so that a recorded checkpoint exists at any time.
    held: URIs of checkpoints that are never deleted, since another run may begin with a copy of them
    before_upload: called before a checkpoint is uploaded to a URI
    """

    def __init__(
        self,
        folder: Location,
        *,
        config: RunConfig,
        attempt: int,
        first_step: int,
        recorder: Recorder,
        held: Collection[str] = (),
        before_upload: Callable[[], None] | None = None,
    ) -> None:
        self._recorder = recorder
        self._held = frozenset(held)
        self._folder = folder
        self._config = config
        self._attempt = attempt
        self._before_upload = before_upload
        self._saving: Future[Checkpoint] | None = None
        self._exit_stack = ExitStack()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._existing: set[Location] = with_retries(self._remove_unfinished)
            numbered = with_retries(self._numbered)
            self._abandoned = [path for env_steps, path in numbered if env_steps > first_step]
        except OSError as exc:
            raise _unwritable(folder, exc) from exc

    def _remove_unfinished(self) -> set[Location]:
        """Delete unfinished files; return the paths of all others."""
        found: set[Location] = set(self._folder.iterdir())
        left_over = {path for path in found if path.name.endswith(SUFFIX + UNFINISHED_SUFFIX)}
        for path in left_over:
            path.unlink(missing_ok=True)
        return found - left_over

    def __enter__(self) -> "CheckpointFolder":
        if isinstance(self._folder, Path):
            self._local_folder = self._folder
        else:
            self._local_folder = self._exit_stack.enter_context(scratch_folder("checkpoints"))
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._exit_stack:
            # Ctrl-C does not wait for an upload
            if self._saving is not None and (error_type is not KeyboardInterrupt or isinstance(self._folder, Path)):
                wait([self._saving])

    def save(self, model: OnPolicyAlgorithm, snapshot: RunSnapshot) -> Future[Checkpoint]:
        """Write a numbered checkpoint; older ones are deleted. The result is there once the recorder has it.

        Raises CheckpointError and StorageUnavailableError, also those of the save before; so does the result.
        """
        progress = snapshot.progress
        name = numbered_name(episodes=progress.episodes, env_steps=progress.env_steps, attempt=self._attempt)
        return self._save(name, model, snapshot, rotates=True)

    def save_best(self, model: OnPolicyAlgorithm, snapshot: RunSnapshot) -> Future[Checkpoint]:
        """Replace `best.zip`; otherwise like `save`."""
        return self._save(BEST_NAME, model, snapshot, rotates=False)

    @property
    def begins_before_recorded(self) -> bool:
        """Whether a later checkpoint of an abandoned attempt is recorded; the next attempt would resume from it."""
        return any(self._recorder.is_recorded(str(path)) for path in self._abandoned)

    def _save(self, name: str, model: OnPolicyAlgorithm, snapshot: RunSnapshot, *, rotates: bool) -> Future[Checkpoint]:
        last, self._saving = self._saving, None
        if last is not None:
            last.result()
        path = self._folder / name
        unfinished = self._local_folder / f"{name}{UNFINISHED_SUFFIX}"
        try:
            self._write(unfinished, model, snapshot)
        except OSError as exc:
            unfinished.unlink(missing_ok=True)
            raise _unwritable(path, exc) from exc
        self._saving = saving = Future[Checkpoint]()
        arguments = (saving, unfinished, path, snapshot.progress, rotates)
        threading.Thread(target=self._finish, args=arguments, name="checkpoints", daemon=True).start()
        return saving

    def _write(self, unfinished: Path, model: OnPolicyAlgorithm, snapshot: RunSnapshot) -> None:
        record: dict[str, Any] = {"progress": snapshot.progress.to_record(), "config": self._config.to_record()}
        if snapshot.statistics is not None:
            record[OBSERVATIONS_KEY] = observation_scale(unpickle(snapshot.statistics))
        with unfinished.open("w+b") as file:
            # SB3 adds descriptions of the spaces, which nobody reads; of long bounds they took a sixth of a save
            with np.printoptions(threshold=0, edgeitems=1):
                model.save(file)
            with zipfile.ZipFile(file, mode="a") as archive:
                archive.writestr(RECORD_MEMBER, json.dumps(record))
                for member, content in _members(snapshot).items():
                    archive.writestr(member, content)

    def _finish(
        self, saving: Future[Checkpoint], unfinished: Path, path: Location, progress: Progress, rotates: bool
    ) -> None:
        """Make a written checkpoint durable, and put it in its place, in a thread: the disk takes longest."""
        try:
            with unfinished.open("rb") as file:
                checkpoint = described(file, progress, path)
            if self._before_upload is not None and not isinstance(path, Path):
                self._before_upload()
            self._publish(unfinished, path, checkpoint, rotates)
        except OSError as exc:
            unfinished.unlink(missing_ok=True)
            error = _unwritable(path, exc)
            error.__cause__ = exc
            saving.set_exception(error)
        except Exception as exc:  # noqa: BLE001 - raised by the result
            saving.set_exception(exc)
        else:
            saving.set_result(checkpoint)

    def _publish(self, unfinished: Path, path: Location, checkpoint: Checkpoint, rotates: bool) -> None:
        put(unfinished, path)
        dropped = with_retries(lambda: self._delete_old(path)) if rotates else []
        self._recorder.add_checkpoint(checkpoint, dropped_uris=dropped)

    def _delete_old(self, written: Location) -> list[str]:
        """Delete abandoned and oldest checkpoints, except the one just written and the newest recorded one."""
        abandoned = [path for path in self._abandoned if path != written]
        others = [path for _, path in self._numbered() if path != written and path not in abandoned]
        keep = self._config.training.keep_last_n_checkpoints - 1
        is_recorded = self._recorder.is_recorded
        newest_recorded = next((path for path in reversed(abandoned + others) if is_recorded(str(path))), None)
        oldest = others[: max(0, len(others) - keep)]
        dropped = [path for path in abandoned + oldest if path != newest_recorded]
        for path in dropped:
            path.unlink(missing_ok=True)
        self._abandoned = [path for path in abandoned if path == newest_recorded]
        return [str(path) for path in dropped]

    def _numbered(self) -> list[tuple[int, Location]]:
        """Env steps and path of every numbered checkpoint that this attempt may delete, oldest first."""
        numbered = [
            (name.env_steps, name.attempt, path)
            for path in self._folder.iterdir()
            if (name := parse_numbered_name(path.name))
            and (path in self._existing or name.attempt == self._attempt)
            and str(path) not in self._held
        ]
        return [(env_steps, path) for env_steps, _, path in sorted(numbered, key=lambda each: each[:2])]


def described(file: BufferedRandom | BufferedReader, progress: Progress, path: Location) -> Checkpoint:
    """The record of a checkpoint whose content was just written to `file` and will lie at `path`; makes it durable."""
    file.flush()
    os.fsync(file.fileno())
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Checkpoint(
        episode=progress.episodes, env_steps=progress.env_steps, uri=str(path), sha256=digest, bytes=file.tell()
    )


def is_removed(checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint's file was deleted; False if its folder cannot be reached."""
    path = locate(checkpoint.uri)
    return with_retries(lambda: path.parent.is_dir() and not path.exists())


def checksum(path: Location) -> str:
    """A file's SHA-256 in hex.

    Raises CheckpointError if it cannot be read, StorageUnavailableError if the storage does not answer.
    """
    try:
        with local_copy(path) as copy, copy.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise CheckpointError(f"The checkpoint at {path} cannot be read: {exc.strerror or exc}") from exc


def is_damaged(checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint's file differs from the recorded one.

    Raises CheckpointError or StorageUnavailableError if it cannot be read, which does not mean that it is damaged.
    """
    return checksum(locate(checkpoint.uri)) != checkpoint.sha256


def has_record(path: Path) -> bool:
    """Whether rlsweep wrote a checkpoint; False for a zip of stock SB3. Raises CheckpointError if it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return RECORD_MEMBER in archive.namelist()
    except FileNotFoundError as exc:
        raise CheckpointError(f"Checkpoint not found: {path}.") from exc
    except (OSError, zipfile.BadZipFile) as exc:
        raise CheckpointError(f"The checkpoint at {path} cannot be read: {exc}") from exc


def read_saved_run(path: Path) -> SavedRun:
    """Read a run's state from a checkpoint; raise CheckpointError if that fails or rlsweep did not write it."""
    try:
        with zipfile.ZipFile(path) as archive:
            if RECORD_MEMBER not in archive.namelist():
                raise CheckpointError(
                    f"{path} was not written by rlsweep, so it does not say how it was trained (it has no "
                    f"{RECORD_MEMBER}). {_WITHOUT_RECORD}"
                )
            record: dict[str, Any] = json.loads(archive.read(RECORD_MEMBER))
            statistics, state, opponents = (
                archive.read(member) if member in archive.namelist() else None
                for member in (STATISTICS_MEMBER, SNAPSHOT_MEMBER, OPPONENTS_MEMBER)
            )
            return SavedRun(
                snapshot=RunSnapshot(
                    progress=Progress.from_record(record["progress"]),
                    statistics=statistics,
                    state=state,
                    opponents=opponents,
                ),
                config=RunConfig.from_record(record["config"]),
            )
    except FileNotFoundError as exc:
        raise CheckpointError(f"Checkpoint not found: {path}.") from exc
    except (OSError, zipfile.BadZipFile, ValueError, KeyError) as exc:
        raise CheckpointError(f"The checkpoint at {path} cannot be read: {exc}") from exc


def load_weights(model: OnPolicyAlgorithm, path: Path) -> None:
    """Load weights and optimizer state of a checkpoint into a model that was built from the config.

    Raises CheckpointError if the file is damaged or has another network.
    """
    try:
        model.set_parameters(str(path), device=model.device)
    except (OSError, ValueError, RuntimeError, KeyError, zipfile.BadZipFile) as exc:
        raise CheckpointError(
            f"The checkpoint at {path} does not fit this config's network and algorithm: {exc}"
        ) from exc


def _members(snapshot: RunSnapshot) -> dict[str, bytes]:
    """The snapshot's archive members, by name."""
    members = {
        STATISTICS_MEMBER: snapshot.statistics,
        SNAPSHOT_MEMBER: snapshot.state,
        OPPONENTS_MEMBER: snapshot.opponents,
    }
    return {name: content for name, content in members.items() if content is not None}


def _unwritable(path: Location, exc: OSError) -> CheckpointError:
    return CheckpointError(
        f"A checkpoint cannot be written to {path}: {exc.strerror or exc}. "
        "Free some space there, or point RLSWEEP_STORAGE elsewhere."
    )
