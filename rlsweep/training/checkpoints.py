"""Checkpoints of a run: written, kept and read. A file is complete or not there at all.

rlsweep/checkpoint_format.py describes the files. Stock `load` of the algorithm's SB3 class opens them.
"""

import hashlib
import json
import os
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from rlsweep.checkpoint_format import (
    BEST_NAME,
    OBSERVATIONS_KEY,
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
from rlsweep.training.vector import observation_scale


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedRun:
    """What rides in a checkpoint beside SB3's own members.

    snapshot: where the run stood, between two rollouts
    config: the run's config
    """

    snapshot: RunSnapshot
    config: RunConfig


class CheckpointFolder:
    """The checkpoints of one run: the last `keep_last_n_checkpoints` numbered ones, and `best.zip`. A context manager.

    Before those, the newest stays that is on record: a run that is killed goes on from there, and the last one written
    is not yet.

    Each is written on this machine. Into a folder it goes at once. To a URI it is sent from a thread of its own while
    training goes on, one at a time: the next one waits for it. Either way the recorder has it once it is all there.

    attempt: its number is part of the names. Only the attempt's own files and those that it found are ever touched: a
        process that was thought dead may still write here, and does no harm.
    first_step: env steps at which this attempt begins. Numbered checkpoints beyond it are of a course that was given
        up; they go when this attempt has one of its own, and the newest of those on record when that one is on record
        too, so that there is a last checkpoint at any time.
    before_sending: called before a checkpoint is sent to a URI
    """

    def __init__(
        self,
        folder: Location,
        *,
        config: RunConfig,
        attempt: int,
        first_step: int,
        recorder: Recorder,
        before_sending: Callable[[], None] | None = None,
    ) -> None:
        self._recorder = recorder
        self._folder = folder
        self._config = config
        self._attempt = attempt
        self._before_sending = before_sending
        self._sent: Future[None] | None = None
        self._held = ExitStack()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._found: set[Location] = with_retries(self._cleared)
            self._given_up = [path for env_steps, path in with_retries(self._numbered) if env_steps > first_step]
        except OSError as exc:
            raise _unwritable(folder, exc) from exc

    def _cleared(self) -> set[Location]:
        """What lies in the folder, but for files that nobody finished writing, which go."""
        found: set[Location] = set(self._folder.iterdir())
        left_over = {path for path in found if path.name.endswith(SUFFIX + UNFINISHED_SUFFIX)}
        for path in left_over:
            path.unlink(missing_ok=True)
        return found - left_over

    def __enter__(self) -> "CheckpointFolder":
        if isinstance(self._folder, Path):
            self._workshop = self._folder
        else:
            self._workshop = self._held.enter_context(scratch_folder("checkpoints"))
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._held:
            if self._sent is not None and error_type is not KeyboardInterrupt:  # which ends at once
                wait([self._sent])

    def save(self, model: OnPolicyAlgorithm, snapshot: RunSnapshot) -> Checkpoint:
        """Write a numbered checkpoint; it pushes out older ones.

        Raises CheckpointError, and StorageUnavailableError as `settle` does.
        """
        progress = snapshot.progress
        name = numbered_name(episodes=progress.episodes, env_steps=progress.env_steps, attempt=self._attempt)
        return self._keep(name, model, snapshot, pushes_out=True)

    def save_best(self, model: OnPolicyAlgorithm, snapshot: RunSnapshot) -> Checkpoint:
        """Write `best.zip` in place of the one before. Raises CheckpointError, StorageUnavailableError as `settle`."""
        return self._keep(BEST_NAME, model, snapshot, pushes_out=False)

    @property
    def goes_back(self) -> bool:
        """Whether this attempt begins before a checkpoint on record: the next would go on there, not here."""
        return any(self._recorder.is_recorded(str(path)) for path in self._given_up)

    def settle(self) -> None:
        """Wait until all that was saved is in its place and with the recorder.

        Raises StorageUnavailableError where it is not.
        """
        sent, self._sent = self._sent, None
        if sent is not None:
            sent.result()

    def _keep(self, name: str, model: OnPolicyAlgorithm, snapshot: RunSnapshot, *, pushes_out: bool) -> Checkpoint:
        self.settle()
        path = self._folder / name
        aside = self._workshop / f"{name}{UNFINISHED_SUFFIX}"
        try:
            checkpoint = self._write(aside, path, model, snapshot)
            if isinstance(path, Path):
                self._publish(aside, path, checkpoint, pushes_out)
            else:
                self._sent = Future()
                sending = (self._sent, aside, path, checkpoint, pushes_out)
                threading.Thread(target=self._send, args=sending, name="checkpoints", daemon=True).start()
        except OSError as exc:
            aside.unlink(missing_ok=True)
            raise _unwritable(path, exc) from exc
        return checkpoint

    def _write(self, aside: Path, path: Location, model: OnPolicyAlgorithm, snapshot: RunSnapshot) -> Checkpoint:
        progress = snapshot.progress
        record: dict[str, Any] = {"progress": progress.to_record(), "config": self._config.to_record()}
        if snapshot.statistics is not None:
            record[OBSERVATIONS_KEY] = observation_scale(snapshot.statistics)
        with aside.open("w+b") as file:
            model.save(file)
            with zipfile.ZipFile(file, mode="a") as archive:
                archive.writestr(RECORD_MEMBER, json.dumps(record))
                for member, content in _members(snapshot).items():
                    archive.writestr(member, content)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
        return Checkpoint(
            episode=progress.episodes, env_steps=progress.env_steps, uri=str(path), sha256=digest, bytes=size
        )

    def _send(self, sent: Future[None], aside: Path, path: Location, checkpoint: Checkpoint, pushes_out: bool) -> None:
        try:
            if self._before_sending is not None:
                self._before_sending()
            self._publish(aside, path, checkpoint, pushes_out)
        except Exception as exc:  # noqa: BLE001 - raised again by `settle`
            sent.set_exception(exc)
        else:
            sent.set_result(None)

    def _publish(self, aside: Path, path: Location, checkpoint: Checkpoint, pushes_out: bool) -> None:
        put(aside, path)
        dropped = with_retries(lambda: self._drop_others(path)) if pushes_out else []
        self._recorder.add_checkpoint(checkpoint, dropped_uris=dropped)

    def _drop_others(self, written: Location) -> list[str]:
        """Remove those that are given up and the oldest, never the one just written nor the newest on record."""
        given_up = [path for path in self._given_up if path != written]
        others = [path for _, path in self._numbered() if path != written and path not in given_up]
        keep = self._config.training.keep_last_n_checkpoints - 1
        is_recorded = self._recorder.is_recorded
        newest_recorded = next((path for path in reversed(given_up + others) if is_recorded(str(path))), None)
        oldest = others[: max(0, len(others) - keep)]
        dropped = [path for path in given_up + oldest if path != newest_recorded]
        for path in dropped:
            path.unlink(missing_ok=True)
        self._given_up = [path for path in given_up if path == newest_recorded]
        return [str(path) for path in dropped]

    def _numbered(self) -> list[tuple[int, Location]]:
        """Env steps and path of every numbered checkpoint that is ours to touch, oldest first."""
        numbered = [
            (name.env_steps, path)
            for path in self._folder.iterdir()
            if (name := parse_numbered_name(path.name)) and (path in self._found or name.attempt == self._attempt)
        ]
        return sorted(numbered, key=lambda each: (each[0], each[1].name))


def is_removed(checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint's file is gone from its folder; a folder that is out of reach tells nothing of it."""
    path = locate(checkpoint.uri)
    return with_retries(lambda: path.parent.is_dir() and not path.exists())


def checksum(path: Location) -> str:
    """A file's SHA-256, as the record has it.

    Raises CheckpointError where it cannot be read, StorageUnavailableError where the storage does not answer.
    """
    try:
        with local_copy(path) as copy, copy.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise CheckpointError(f"The checkpoint at {path} cannot be read: {exc.strerror or exc}") from exc


def is_damaged(checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint's file is not what was written.

    Raises CheckpointError or StorageUnavailableError where it cannot be read: that is no reason to begin anew.
    """
    return checksum(locate(checkpoint.uri)) != checkpoint.sha256


def read_saved_run(path: Path) -> SavedRun:
    """What rides in the checkpoint at `path`; raises CheckpointError where it cannot be read or is not one of ours."""
    try:
        with zipfile.ZipFile(path) as archive:
            if RECORD_MEMBER not in archive.namelist():
                raise CheckpointError(f"{path} was not written by rlsweep: it holds no {RECORD_MEMBER}.")
            record: dict[str, Any] = json.loads(archive.read(RECORD_MEMBER))
            statistics, state = (
                archive.read(member) if member in archive.namelist() else None
                for member in (STATISTICS_MEMBER, SNAPSHOT_MEMBER)
            )
            return SavedRun(
                snapshot=RunSnapshot(
                    progress=Progress.from_record(record["progress"]), statistics=statistics, state=state
                ),
                config=RunConfig.from_record(record["config"]),
            )
    except FileNotFoundError as exc:
        raise CheckpointError(f"There is no checkpoint at {path}.") from exc
    except (OSError, zipfile.BadZipFile, ValueError, KeyError) as exc:
        raise CheckpointError(f"The checkpoint at {path} cannot be read: {exc}") from exc


def load_weights(model: OnPolicyAlgorithm, path: Path) -> None:
    """Give a model built from its config the weights and the optimizer state of a checkpoint.

    Raises CheckpointError where the file is damaged or was made for another network.
    """
    try:
        model.set_parameters(str(path), device=model.device)
    except (OSError, ValueError, RuntimeError, KeyError, zipfile.BadZipFile) as exc:
        raise CheckpointError(
            f"The checkpoint at {path} does not fit this config's network and algorithm: {exc}"
        ) from exc


def _members(snapshot: RunSnapshot) -> dict[str, bytes]:
    """What of a snapshot rides in the archive as it is."""
    members = {STATISTICS_MEMBER: snapshot.statistics, SNAPSHOT_MEMBER: snapshot.state}
    return {name: content for name, content in members.items() if content is not None}


def _unwritable(path: Location, exc: OSError) -> CheckpointError:
    return CheckpointError(
        f"A checkpoint cannot be written to {path}: {exc.strerror or exc}. "
        "Free some space there, or point RLSWEEP_STORAGE elsewhere."
    )
