"""The process of a fork server: `python -m rlsweep.cluster.forking SOCKET LIFELINE MODULES MODULES WORKER`.

Ray's library reads its job and its raylet from the environment when it is loaded. So modules that import Ray are
imported at the first request for a worker, which knows the raylet. A forked worker belongs to no job until it gets a
task.
"""

import importlib
import json
import logging
import os
import runpy
import selectors
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rlsweep.cluster.fork_client import FORKED, LENGTH_BYTES
from rlsweep.cluster.ray_internals import LIBRARY, NO_JOB, WORKER_MODULE, unseeded_ids
from rlsweep.imports import lasting_imports

logger = logging.getLogger(__name__)

REQUEST_SECONDS = 10.0
"""Time limit for one request; it comes from a process of this machine."""

REQUEST_BYTES = 2**24
"""Limit of a request; an environment and arguments of a process are smaller."""

STREAMS = 3
"""Standard input, output and error."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a process must have; see `fork_client.request`.

    streams: its standard streams, as open files of this process
    connection: to the client, which waits for an answer
    """

    arguments: list[str]
    folder: str
    environ: dict[str, str]
    niceness: int
    blocked: list[int]
    streams: list[int]
    connection: socket.socket

    @property
    def is_module(self) -> bool:
        """Whether a module is run; otherwise it is a worker of Ray."""
        return self.arguments[:1] == ["-m"]


@dataclass(frozen=True, slots=True)
class Child:
    """A forked process; `connection` is open to a client that waits for its end."""

    pid: int
    connection: socket.socket | None


def receive(listener: socket.socket) -> Request | None:
    """Accept one request; None if the client went away, or said something else."""
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
        logger.warning("a request was not understood: %s", error)
        connection.close()
        for stream in streams:
            os.close(stream)
        return None


class Forking:
    """Forks processes on request, and watches them and the clients that wait for their end.

    listener: socket of the server
    lifeline: open file that is closed when the process that started the server ends
    with_ray: modules to import before the first worker
    """

    def __init__(self, listener: socket.socket, lifeline: int, with_ray: Sequence[str]) -> None:
        self._listener = listener
        self._lifeline = lifeline
        self._to_import = [*with_ray, WORKER_MODULE]
        self._requests: list[Request] = []
        self._waiting = selectors.DefaultSelector()
        self._waiting.register(listener, selectors.EVENT_READ)
        self._waiting.register(lifeline, selectors.EVENT_READ)
        self._children: dict[int, Child] = {}
        """By the file that becomes readable when the child ends."""

    def serve(self) -> Request | None:
        """Serve until the lifeline is closed, then return None; in each forked process, return its request."""
        while True:
            ready = {key.fileobj for key, _ in self._waiting.select(0 if self._requests else None)}
            if self._lifeline in ready:
                self._kill([child for child in self._children.values() if child.connection is not None])
                return None
            self._kill([child for child in self._children.values() if child.connection in ready])
            for file in [file for file in self._children if file in ready]:
                self._reap(file)
            if self._listener in ready and (received := receive(self._listener)):
                self._requests.append(received)
            elif (request := self._next()) and self._fork(request):
                return request

    def _next(self) -> Request | None:
        """The next request to be served; None where there is none, or modules were imported for it, one at a time.

        Modules come first, also between two imports: they need none of what a first worker has to wait for.
        """
        self._requests.sort(key=lambda request: not request.is_module)
        if not self._requests:
            return None
        if not self._requests[0].is_module and self._to_import:
            import_with_ray(self._requests[0], self._to_import.pop(0))
            return None
        return self._requests.pop(0)

    def _fork(self, request: Request) -> bool:
        """Fork a process; whether this is it."""
        pid = os.fork()
        if pid == 0:
            self._forget(request)
            return True
        for stream in request.streams:
            os.close(stream)
        file = os.pidfd_open(pid)
        self._waiting.register(file, selectors.EVENT_READ)
        with suppress(OSError):  # a client that is gone; Ray starts another worker
            request.connection.sendall(FORKED)
        if request.is_module:
            self._waiting.register(request.connection, selectors.EVENT_READ)  # readable once the client is gone
        else:
            request.connection.close()
        self._children[file] = Child(pid, request.connection if request.is_module else None)
        return False

    def _kill(self, children: Sequence[Child]) -> None:
        """Kill processes whose clients are gone."""
        for child in children:
            os.kill(child.pid, signal.SIGKILL)
            self._unwatch(child)

    def _reap(self, file: int) -> None:
        """Take the exit code of a process that ended, and tell it to its client."""
        child = self._children.pop(file)
        self._waiting.unregister(file)
        os.close(file)
        _, status = os.waitpid(child.pid, 0)
        self._unwatch(child)
        if child.connection is not None:
            with suppress(OSError), child.connection:  # the client may be gone
                child.connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())

    def _unwatch(self, child: Child) -> None:
        if child.connection is not None and child.connection in self._waiting.get_map():
            self._waiting.unregister(child.connection)

    def _forget(self, request: Request) -> None:
        """In a forked process, close all that is the server's: a client waits until nobody has its connection open."""
        self._listener.close()
        os.close(self._lifeline)
        request.connection.close()
        for other in self._requests:
            other.connection.close()
            for stream in other.streams:
                os.close(stream)
        for file, child in self._children.items():
            os.close(file)
            if child.connection is not None:
                child.connection.close()
        self._waiting.close()


def import_with_ray(request: Request, module: str) -> None:
    """Import a module that imports Ray, in the environment of a first worker."""
    os.environ.update({name: value for name, value in request.environ.items() if name.startswith("RAY_")})
    os.environ.update(NO_JOB)
    with lasting_imports(), unseeded_ids():
        importlib.import_module(module)


def become(request: Request, worker: str) -> None:
    """Be the requested process in a forked one: a module, or Ray's script of a worker."""
    for number, stream in enumerate(request.streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environ)
    os.setpriority(os.PRIO_PROCESS, 0, request.niceness)
    _draw_otherwise()
    if request.is_module:
        _, module, *arguments = request.arguments
        sys.path.insert(0, request.folder)
        sys.argv = [module, *arguments]
        signal.pthread_sigmask(signal.SIG_SETMASK, request.blocked)
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    else:
        os.setpgid(0, 0)  # Ray kills the group of a worker that died
        sys.path.insert(0, str(Path(worker).parent))
        sys.argv = [worker, *request.arguments]
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
        request = Forking(listener, int(lifeline), with_ray.split(",") if with_ray else ()).serve()
    if request is None:
        os._exit(0)  # the driver waits for the end, and taking down torch and Ray takes half a second
    become(request, worker)


if __name__ == "__main__":
    main(sys.argv[1:])
