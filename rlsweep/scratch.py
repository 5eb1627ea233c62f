"""Folders that live no longer than their process."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rlsweep.locks import is_locked

HELD = ".held"
"""Locked by the process that uses the folder; the kernel drops the lock when it ends, however it ends."""


@contextmanager
def scratch_folder(purpose: str) -> Iterator[Path]:
    """A folder with a short path, removed at the end; what processes that were killed left of the kind goes first."""
    prefix = f"rlsweep-{purpose}-"
    for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        if not _is_used(left):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name:
        unnamed = Path(name) / f"{HELD}.new"
        descriptor = os.open(unnamed, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            unnamed.rename(unnamed.with_name(HELD))  # nobody sees it there without its lock
            yield Path(name)
        finally:
            os.close(descriptor)


def _is_used(folder: Path) -> bool:
    """Whether a process holds it, or is just about to; a folder that we may not look into is somebody else's."""
    try:
        return is_locked(folder / HELD)
    except OSError:
        return True
