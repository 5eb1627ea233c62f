"""Write a checkpoint of one run with the policy of another: what a member of a population begins with as a copy."""

import json
import shutil
import zipfile
from io import BufferedRandom
from pathlib import Path
from typing import Any

from rlsweep.checkpoint_format import RECORD_MEMBER, SNAPSHOT_MEMBER, UNFINISHED_SUFFIX
from rlsweep.config.run import RunConfig
from rlsweep.errors import CheckpointError
from rlsweep.runs import Checkpoint
from rlsweep.scratch import scratch_folder
from rlsweep.storage import Location, local_copy, put
from rlsweep.training.checkpoints import described
from rlsweep.training.progress import Progress


def copy_checkpoint(source: Location, to: Location, *, progress: Progress, config: RunConfig) -> Checkpoint:
    """Write to `to` what the checkpoint at `source` has, but with another run's progress and config.

    Weights, optimizer, normalisation statistics and, with self-play, opponents are the same bytes. The state of the
    source's environments is left out: the other run begins new episodes, and no episode has two policies.

    Raises CheckpointError if the source cannot be read or `to` cannot be written, and StorageUnavailableError.
    """
    try:
        with local_copy(source) as found, scratch_folder("copies") as scratch:
            to.parent.mkdir(parents=True, exist_ok=True)
            folder = to.parent if isinstance(to, Path) else scratch
            unfinished = Path(folder / f"{to.name}{UNFINISHED_SUFFIX}")
            with zipfile.ZipFile(found) as archive, unfinished.open("w+b") as file:
                _write(archive, file, {"progress": progress.to_record(), "config": config.to_record()})
                checkpoint = described(file, progress, to)
            put(unfinished, to)
    except (OSError, zipfile.BadZipFile, ValueError, KeyError) as exc:
        raise CheckpointError(f"The checkpoint at {source} cannot be copied to {to}: {exc}") from exc
    return checkpoint


def _write(archive: zipfile.ZipFile, file: BufferedRandom, record: dict[str, Any]) -> None:
    with zipfile.ZipFile(file, mode="w") as copy:
        for member in archive.infolist():
            if member.filename in (RECORD_MEMBER, SNAPSHOT_MEMBER):
                continue
            info = zipfile.ZipInfo(member.filename, member.date_time)
            info.compress_type = member.compress_type
            with archive.open(member) as content, copy.open(info, "w", force_zip64=member.file_size > 2**31) as target:
                shutil.copyfileobj(content, target)
        copy.writestr(RECORD_MEMBER, json.dumps(json.loads(archive.read(RECORD_MEMBER)) | record))
