"""File locks; the kernel releases a lock whenever its process ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def open_lock_file(path: Path) -> int:
    """Open a lock file and return its descriptor; a missing file is created, accessible only to its owner.

    Closing the descriptor releases its lock. Raises OSError.
    """
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def lock(descriptor: int, *, shared: bool = False) -> None:
    """Lock an open file; wait while another process has the lock.

    shared: take a shared lock, which several processes can hold at the same time
    """
    fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)


def try_lock(descriptor: int) -> bool:
    """Lock an open file; return False if another process has the lock."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def file_lock(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock on a file while the context lasts; `lock` waits for it, `open_lock_file` opens it."""
    descriptor = open_lock_file(path)
    try:
        lock(descriptor, shared=shared)
        yield
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether a process has the lock on a file. The check itself holds the lock for a moment.

    Raises OSError if the file does not exist or may not be opened.
    """
    descriptor = os.open(path, os.O_RDWR)
    try:
        return not try_lock(descriptor)
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Like `is_locked`, but False if the file does not exist or may not be opened."""
    try:
        return is_locked(path)
    except (FileNotFoundError, PermissionError):
        return False
