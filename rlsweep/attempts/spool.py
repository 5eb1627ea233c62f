"""The spool: records that a trial could not send, in a local file per attempt, one line of JSON per batch.

The next attempt of the run on this machine sends the spool file of a dead process, or the process that settles the run.
After a newer attempt has begun, the file is not needed: the newer attempt records the same again.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

from rlsweep.errors import NotFoundError, SpoolError, SpoolLostError, StaleAttemptError
from rlsweep.runs import Checkpoint, Episode, Evaluation, EvaluationKind, Outcome, Update
from rlsweep.store import recording
from rlsweep.store.database import Database
from rlsweep.store.recording import Batch, Progress

MOST_BYTES = 256 * 1024 * 1024
"""Maximum size of one attempt's file: about two million episodes."""


class Spool:
    """The file of one attempt."""

    def __init__(self, folder: Path, run_id: UUID, attempt: int) -> None:
        """The file is created by the first `keep`."""
        self.path = folder / f"{run_id}-{attempt}.jsonl"
        self._kept = 0
        self._bytes = 0

    @property
    def bytes(self) -> int:
        """Size of the file with the records that wait."""
        return self._bytes

    @property
    def is_empty(self) -> bool:
        """Whether no records wait in the file."""
        return self._kept == 0

    def keep(self, batch: Batch) -> None:
        """Append a batch. Raises SpoolError if the disk is full or the file would be too large."""
        line = json.dumps(asdict(batch)).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                if file.tell() + len(line) > MOST_BYTES:
                    raise SpoolError(
                        f"The database was unreachable for too long: {MOST_BYTES // 2**20} MB of records wait in "
                        f"{self.path}. `rlsweep resume` or `rlsweep train --resume` sends them."
                    )
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
                self._bytes = file.tell()
        except OSError as exc:
            raise SpoolError(
                f"The database is unreachable, and records cannot be written to {self.path}: "
                f"{exc.strerror or exc}. Free some space there, or point RLSWEEP_HOME elsewhere."
            ) from exc
        self._kept += 1

    def batches(self) -> Iterator[Batch]:
        """The spooled batches, in order. Raises SpoolLostError if some are missing in the file."""
        found = 0
        for batch in _read(self.path):
            found += 1
            yield batch
        if found < self._kept:
            raise SpoolLostError(
                f"{self.path} should have {self._kept} batches of records for the database, but has only {found}. "
                "Resume the run from its last checkpoint."
            )

    def clear(self) -> None:
        """Remove the file: all batches were sent."""
        self.path.unlink(missing_ok=True)
        self._kept = self._bytes = 0


def send_left(database: Database, folder: Path, run_id: UUID) -> None:
    """Send the spool files that dead processes left of a run, unless they are outdated; then remove them.

    Raises StoreUnavailableError if the database is unreachable; then removes nothing.
    """
    for path in left_of(folder, run_id):
        attempt = int(path.stem.rpartition("-")[2])
        try:
            for batch in _read(path):
                recording.flush_left(database, run_id, attempt, batch)
        except (StaleAttemptError, NotFoundError):
            pass
        path.unlink(missing_ok=True)


def left_of(folder: Path, run_id: UUID) -> list[Path]:
    """The spool files of a run's attempts in the folder."""
    return sorted(folder.glob(f"{run_id}-*.jsonl"))


def _read(path: Path) -> Iterator[Batch]:
    """The batches before the first incomplete line: a process killed while writing leaves an incomplete last line."""
    try:
        with path.open("rb") as file:
            for line in file:
                yield _batch(json.loads(line))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return


def _batch(record: dict[str, Any]) -> Batch:
    return Batch(
        progress=Progress(**record["progress"]),
        episodes=[_episode(each) for each in record["episodes"]],
        updates=[_update(each) for each in record["updates"]],
        evaluations=[_evaluation(each) for each in record["evaluations"]],
        checkpoints=[Checkpoint(**each) for each in record["checkpoints"]],
        dropped_uris=record["dropped_uris"],
        began_at_env_steps=record["began_at_env_steps"],
        facts=record["facts"],
    )


def _update(record: dict[str, Any]) -> Update:
    return Update(**{"gradient_steps": None} | record)  # files of older versions do not have it


def _evaluation(record: dict[str, Any]) -> Evaluation:
    kind = EvaluationKind(record.pop("kind", EvaluationKind.PERIODIC))  # files of older versions do not name it
    return Evaluation(**record, kind=kind)


def _episode(record: dict[str, Any]) -> Episode:
    outcome = record.pop("outcome")
    return Episode(**record, outcome=None if outcome is None else Outcome(outcome))
