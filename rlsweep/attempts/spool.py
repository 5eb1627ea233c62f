"""What a trial could not send, on local disk: one file an attempt, one line of JSON a batch, in order.

A file that its process left behind is sent by whoever takes the run up next on this machine, or settles it. Once a
newer attempt has begun it is of no more use: that records the same again.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

from rlsweep.errors import NotFoundError, SpoolError, SpoolLostError, StaleAttemptError
from rlsweep.runs import Checkpoint, Episode, Evaluation, Outcome, Update
from rlsweep.store import recording
from rlsweep.store.database import Database
from rlsweep.store.recording import Batch, Progress

MOST_BYTES = 256 * 1024 * 1024
"""Of one attempt: some two million episodes."""


class Spool:
    """The file of one attempt."""

    def __init__(self, folder: Path, run_id: UUID, attempt: int) -> None:
        """Nothing is written before the first `keep`."""
        self.path = folder / f"{run_id}-{attempt}.jsonl"
        self._kept = 0

    @property
    def is_empty(self) -> bool:
        """Whether everything was sent."""
        return self._kept == 0

    def keep(self, batch: Batch) -> None:
        """Add a batch. Raises SpoolError where the disk is full, or this one would be too much."""
        line = json.dumps(asdict(batch)).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                if file.tell() + len(line) > MOST_BYTES:
                    raise SpoolError(
                        f"The database has been away for so long that {MOST_BYTES // 2**20} MB of records wait in "
                        f"{self.path}. They are sent when the run is gone on with: rlsweep train --resume, or resume."
                    )
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as exc:
            raise SpoolError(
                f"The database is away, and what it should record cannot be kept in {self.path}: "
                f"{exc.strerror or exc}. Free some space there, or point RLSWEEP_HOME elsewhere."
            ) from exc
        self._kept += 1

    def batches(self) -> Iterator[Batch]:
        """What was kept, in order. Raises SpoolLostError where the file has lost any of it."""
        found = 0
        for batch in _read(self.path):
            found += 1
            yield batch
        if found < self._kept:
            raise SpoolLostError(
                f"{self.path} held {self._kept} batches of records that the database had not got yet, and {found} are "
                "left of them. The run has to go on from its last checkpoint."
            )

    def clear(self) -> None:
        """Forget what was kept: all of it was sent."""
        self.path.unlink(missing_ok=True)
        self._kept = 0


def send_left(database: Database, folder: Path, run_id: UUID) -> None:
    """Send what processes that are gone left behind of a run, as far as it still counts; then remove it.

    Raises StoreUnavailableError where the database is away; nothing is removed then.
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
    """The files that attempts of a run left in the folder."""
    return sorted(folder.glob(f"{run_id}-*.jsonl"))


def _read(path: Path) -> Iterator[Batch]:
    """The batches up to the first that is not whole: the last may be torn, where its process was killed as it wrote."""
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
        updates=[Update(**each) for each in record["updates"]],
        evaluations=[Evaluation(**each) for each in record["evaluations"]],
        checkpoints=[Checkpoint(**each) for each in record["checkpoints"]],
        dropped_uris=record["dropped_uris"],
        began_at_env_steps=record["began_at_env_steps"],
        facts=record["facts"],
    )


def _episode(record: dict[str, Any]) -> Episode:
    outcome = record.pop("outcome")
    return Episode(**record, outcome=None if outcome is None else Outcome(outcome))
