"""Start a fork server: a process that imports what trials need, once, and forks each worker of a local Ray.

A worker that imports torch, Ray Tune and SB3 itself takes 3.5 CPU seconds and 250 MB of its own; a forked one takes
0.1 s and 20 MB. Ray has no fork server: it starts `fork_client.py` where it would start its own script, and that asks
the server, which runs `forking.py`. The process that measures environments is forked as well. Whatever fails in the
server, both start without it, as slowly as before.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rlsweep.cluster.fork_client import SOCKET_VARIABLE, WORKER_VARIABLE

END_SECONDS = 10.0
"""Time limit for the server's end, after which it is killed."""

LOG = "fork_server.log"


def is_supported() -> bool:
    """Whether this system can fork a process that has loaded large libraries, and watch the forks, as Linux can."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:  # a sandbox may refuse it
        return False
    return True


@contextmanager
def fork_server(folder: Path, *, before_ray: Sequence[str], with_ray: Sequence[str], worker: str) -> Iterator[None]:
    """Run a fork server while the context lasts, and set the variables by which `fork_client.py` finds it.

    folder: where its socket and its log lie; nobody else may enter it
    before_ray: modules that it imports at once; they must not import Ray
    with_ray: modules that it imports before the first worker
    worker: path of Ray's own script of a worker
    """
    path = folder / "fork"
    names = (SOCKET_VARIABLE, WORKER_VARIABLE)
    with socket.socket(socket.AF_UNIX) as listener, (folder / LOG).open("wb") as log:
        listener.bind(str(path))
        listener.listen(socket.SOMAXCONN)
        lifeline, held = os.pipe()
        process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "rlsweep.cluster.forking"),
                *(str(listener.fileno()), str(lifeline), ",".join(before_ray), ",".join(with_ray), worker),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            pass_fds=(listener.fileno(), lifeline),
            start_new_session=True,  # Ctrl-C is for the driver
        )
        os.close(lifeline)
    os.environ.update(zip(names, (str(path), worker), strict=True))
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)
        os.close(held)  # also when this process is killed: the server ends then
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
