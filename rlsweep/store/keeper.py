"""The embedded server's keeper: waits until nobody uses the server, stops it, and ends.

It runs as a process of its own, which loads the standard library, rlsweep.locks and psutil. psutil comes last, once
the process is on its own, so that nobody waits for it.
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
    """Have a keeper for the server in `folder`, unless there is one; it goes on when this process ends."""
    descriptor = open_lock_file(folder / KEEPER_LOCK)
    try:
        if not try_lock(descriptor):
            return
    finally:
        os.close(descriptor)
    # Its own standard streams: whoever reads this process's output must see its end when this process ends.
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
    """The keeper finds this very rlsweep, wherever it lies."""
    root = Path(__file__).parents[2]
    return os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])


def server_processes(data: Path) -> "list[psutil.Process]":
    """PostgreSQL's processes that work in this data folder, the postmaster first; zombies left out."""
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
    """The first line of the server's own note; the process may be dead, or another one."""
    try:
        return int((data / "postmaster.pid").read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None


def stop_server(data: Path) -> None:
    """End the server that works in this data folder: open transactions are rolled back, the data is written out.

    Harsher signals follow where that takes longer than half a minute. Returns once none of its processes works.
    """
    for sign in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        processes = server_processes(data)
        if not processes:
            return
        if processes[0].pid == postmaster_pid(data):
            _send(processes[0], sign)  # the postmaster ends the others
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
    """Whether it lives; a zombie, which stays until its parent takes notice, does not."""
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _keep(folder: Path) -> None:
    """Detach, wait for the last user to leave, stop the server."""
    if os.fork():
        return
    os.setsid()
    import psutil  # noqa: F401  # now, not when it is needed: hours later the installation may be gone

    # The keeper's lock is opened first, and given up first: who finds it held must be sure that its keeper is still
    # to look at the users.
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
