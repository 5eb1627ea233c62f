"""The embedded server's keeper: a process that waits until no process uses the server, stops it, and ends.

It loads only the standard library, rlsweep.locks and psutil. It imports psutil after it has detached, so that the
starting process does not wait for the import.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rlsweep.locks import lock, open_lock_file, try_lock

if TYPE_CHECKING:
    import psutil

USERS_LOCK = "users.lock"
KEEPER_LOCK = "keeper.lock"
STOP_TIMEOUT_SECONDS = 30.0


def start(folder: Path) -> None:
    """Start a keeper for the server in `folder`, unless one is running; it outlives this process."""
    descriptor = open_lock_file(folder / KEEPER_LOCK)
    try:
        if not try_lock(descriptor):
            return
    finally:
        os.close(descriptor)
    # without this process's standard streams: a reader of its output must see the end when this process ends
    subprocess.run(
        [sys.executable, "-P", __file__, str(folder)],
        check=True,
        cwd="/",
        env=os.environ | {"PYTHONPATH": _python_path()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _python_path() -> str:
    """A PYTHONPATH with which the keeper imports this installation of rlsweep."""
    root = Path(__file__).parents[2]
    return os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])


def server_processes(data: Path) -> "list[psutil.Process]":
    """The live PostgreSQL processes of this data folder, the postmaster first."""
    import psutil

    found = []
    for process in psutil.process_iter():
        try:
            if process.name().startswith("postgres") and Path(process.cwd()) == data.resolve():
                found.append(process)
        except (psutil.Error, OSError):
            continue  # gone, a zombie, or another user's
    return sorted(found, key=lambda process: process.pid != postmaster_pid(data))


def postmaster_pid(data: Path) -> int | None:
    """The process id in postmaster.pid; that process may be dead or another program. None if there is none."""
    try:
        return int((data / "postmaster.pid").read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None


def stop_server(data: Path) -> None:
    """Stop the server of this data folder: it rolls back open transactions and writes its data.

    If that takes longer than STOP_TIMEOUT_SECONDS, stronger signals follow. Returns when all its processes have ended.
    """
    for sign in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        processes = server_processes(data)
        if not processes:
            return
        if processes[0].pid == postmaster_pid(data):
            _send(processes[0], sign)  # the postmaster stops the others
        else:
            for process in processes:
                _send(process, signal.SIGQUIT)
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        while any(_works(process) for process in processes) and time.monotonic() < deadline:
            time.sleep(0.02)


def _send(process: "psutil.Process", sign: signal.Signals) -> None:
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(sign)


def _works(process: "psutil.Process") -> bool:
    """Whether the process runs; a zombie does not."""
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _keep(folder: Path) -> None:
    """Detach, wait until no process uses the server, stop it."""
    if os.fork():
        return
    os.setsid()
    import psutil  # noqa: F401  # imported now: hours later, the installation may be removed

    # the keeper's lock is taken first and released first: if it is held, its keeper will still check for users
    keeper_lock = open_lock_file(folder / KEEPER_LOCK)
    if not try_lock(keeper_lock):
        return
    users_lock = open_lock_file(folder / USERS_LOCK)
    lock(users_lock)
    stop_server(folder / "data")
    os.close(keeper_lock)
    os.close(users_lock)


if __name__ == "__main__":
    _keep(Path(sys.argv[1]))
