"""A process that imports what trials need, once, and forks each worker of a local Ray.

A worker that imports torch, Ray Tune and SB3 itself takes 3.5 CPU seconds and 250 MB of its own; a forked one takes
0.1 s and 20 MB. Ray has no fork server: it starts `forked_worker.py` where it would start its own script, and that asks
here. Whatever fails here, Ray's worker starts without it, as slowly as before.

Ray's library reads its job and its raylet from the environment when it is loaded. So modules that import Ray are
imported at the first request, which knows the raylet; forked workers belong to no job until they get a task.
"""

import importlib
import json
import logging
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rlsweep.cluster.forked_worker import FORKED, LENGTH_BYTES, SOCKET_VARIABLE, WORKER_VARIABLE
from rlsweep.cluster.ray_internals import LIBRARY, NO_JOB, WORKER_MODULE
from rlsweep.imports import lasting_imports

logger = logging.getLogger(__name__)

REQUEST_SECONDS = 10.0
"""Time limit for one request; it comes from a process of this machine."""

REQUEST_BYTES = 2**24
"""Limit of a request; an environment and arguments of a process are smaller."""

END_SECONDS = 10.0
"""Time limit for the server's end, after which it is killed."""

STREAMS = 3
"""Standard input, output and error."""

LOG = "fork_server.log"


@dataclass(frozen=True, slots=True)
class Request:
    """What a worker must have; see `forked_worker.request`.

    streams: its standard streams, as open files of this process
    connection: to the process that asked, which waits for an answer
    """

    arguments: list[str]
    folder: str
    environ: dict[str, str]
    niceness: int
    blocked: list[int]
    streams: list[int]
    connection: socket.socket

    def close(self) -> None:
        """Close what this process has open of it."""
        self.connection.close()
        for stream in self.streams:
            os.close(stream)


@contextmanager
def fork_server(folder: Path, *, before_ray: Sequence[str], with_ray: Sequence[str], worker: str) -> Iterator[None]:
    """Run a fork server while the context lasts, and set the variables by which Ray's workers find it.

    folder: where its socket and its log lie; nobody else may enter it
    before_ray: modules that it imports at once; they must not import Ray
    with_ray: modules that it imports at the first request
    worker: path of Ray's own script of a worker
    """
    path = folder / "fork"
    names = (SOCKET_VARIABLE, WORKER_VARIABLE)
    with socket.socket(socket.AF_UNIX) as listener, (folder / LOG).open("wb") as log:
        listener.bind(str(path))
        listener.listen(socket.SOMAXCONN)
        lifeline, held = os.pipe()
        os.environ.update(zip(names, (str(path), worker), strict=True))
        process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "rlsweep.cluster.fork_server"),
                *(str(listener.fileno()), str(lifeline), ",".join(before_ray), ",".join(with_ray), worker),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            pass_fds=(listener.fileno(), lifeline),
            start_new_session=True,  # Ctrl-C is for the driver
        )
        os.close(lifeline)
    try:
        yield
    finally:
        os.close(held)  # also when this process is killed: the server ends then
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for name in names:
            os.environ.pop(name, None)


def receive(listener: socket.socket) -> Request | None:
    """Accept one request; None if what connected went away, or said something else."""
    connection, _ = listener.accept()
    connection.settimeout(REQUEST_SECONDS)
    streams: list[int] = []
    try:
        head, streams, _, _ = socket.recv_fds(connection, LENGTH_BYTES, STREAMS)
        length = int.from_bytes(head, "big")
        if length > REQUEST_BYTES:
            raise ValueError(f"{length} bytes")
        with connection.makefile("rb") as incoming:
            said = json.loads(incoming.read(length))
        return Request(**said, streams=streams, connection=connection)
    except (OSError, ValueError, TypeError) as error:
        logger.warning("a request for a worker was not understood: %s", error)
        connection.close()
        for stream in streams:
            os.close(stream)
        return None


def next_worker(listener: socket.socket, lifeline: int, with_ray: Sequence[str]) -> Request | None:
    """Serve until the lifeline is closed, then return None; in each forked child, return its request."""
    is_ray_there = False
    with selectors.DefaultSelector() as waiting:
        waiting.register(listener, selectors.EVENT_READ)
        waiting.register(lifeline, selectors.EVENT_READ)
        while lifeline not in (key.fileobj for key, _ in waiting.select()):
            request = receive(listener)
            if request is None:
                continue
            if not is_ray_there:
                import_with_ray(request, with_ray)
                signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the workers
                is_ray_there = True
            if os.fork() == 0:
                listener.close()
                os.close(lifeline)
                return request
            with suppress(OSError):  # what asked is gone; Ray starts another worker
                request.connection.sendall(FORKED)
            request.close()
    return None


def import_with_ray(request: Request, modules: Sequence[str]) -> None:
    """Import modules that import Ray, in the environment of a first worker."""
    os.environ.update({name: value for name, value in request.environ.items() if name.startswith("RAY_")})
    os.environ.update(NO_JOB)
    with lasting_imports():
        for module in (*modules, WORKER_MODULE):
            importlib.import_module(module)


def become(request: Request, worker: str) -> None:
    """Run Ray's script of a worker in this forked process, which has what the process that asked for it had."""
    os.setpgid(0, 0)  # Ray kills the group of a worker that died
    for number, stream in enumerate(request.streams):
        os.dup2(stream, number)
    request.close()
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environ)
    os.setpriority(os.PRIO_PROCESS, 0, request.niceness)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _draw_otherwise()
    sys.argv = [worker, *request.arguments]
    sys.path.insert(0, str(Path(worker).parent))
    signal.pthread_sigmask(signal.SIG_SETMASK, request.blocked)
    runpy.run_path(worker, run_name="__main__")


def _draw_otherwise() -> None:
    """Seed NumPy's global generator anew: all forks would draw the same. Python seeds its own at a fork."""
    import numpy as np

    np.random.seed()


def main(arguments: Sequence[str]) -> None:
    """arguments: file numbers of the socket and the lifeline, both lists of modules, and Ray's script of a worker."""
    listening, lifeline, before_ray, with_ray, worker = arguments
    with lasting_imports():
        for module in before_ray.split(","):
            importlib.import_module(module)
    if LIBRARY in sys.modules:
        raise AssertionError(f"one of {before_ray} imports Ray")
    with socket.socket(fileno=int(listening)) as listener:
        request = next_worker(listener, int(lifeline), with_ray.split(",") if with_ray else ())
    if request is not None:
        become(request, worker)


if __name__ == "__main__":
    main(sys.argv[1:])
