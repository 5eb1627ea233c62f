"""A script that lets the fork server of its session fork a process, in place of starting one that imports everything.

`fork_client.py ARGUMENTS…` is what a local Ray starts as a worker; it ends once the worker is forked.
`fork_client.py -m MODULE ARGUMENTS…` is `python -m MODULE ARGUMENTS…`: both end as soon as one of them ends.
Without a server, either becomes the process itself. It imports only the standard library.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Sequence

SOCKET_VARIABLE = "RLSWEEP_FORK_SERVER"
"""Path of the fork server's socket."""

WORKER_VARIABLE = "RLSWEEP_RAY_WORKER"
"""Path of Ray's own script of a worker."""

LENGTH_BYTES = 8
"""Size of the number before a request: the length of its JSON in bytes, big-endian."""

FORKED = b"1"
"""What the server sends once a process is forked. Of a module, its exit code follows as text."""


def module_command(module: str) -> list[str]:
    """Return the command that runs a module: by the fork server of this process, if it has one."""
    if SOCKET_VARIABLE in os.environ:
        return [sys.executable, __file__, "-m", module]
    return [sys.executable, "-m", module]


def request(arguments: Sequence[str]) -> bytes:
    """Return as JSON what the process must have as this one has it: arguments, folder, environment and the like."""
    return json.dumps(
        {
            "arguments": arguments,
            "folder": os.getcwd(),
            "environ": dict(os.environ),
            "niceness": os.getpriority(os.PRIO_PROCESS, 0),
            "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        }
    ).encode()


def answer(path: str, arguments: Sequence[str]) -> bytes:
    """Return what the server behind a socket says of the request, up to its end; nothing if it does not answer."""
    asked = request(arguments)
    said = b""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            socket.send_fds(connection, [len(asked).to_bytes(LENGTH_BYTES, "big")], [0, 1, 2])
            connection.sendall(asked)
            while part := connection.recv(64):
                said += part
    except OSError:
        pass
    return said


def end_as(exit_code: int) -> None:
    """End this process as another one ended; its exit code is negative if a signal killed it."""
    if exit_code < 0:
        if -exit_code != signal.SIGKILL:
            signal.signal(-exit_code, signal.SIG_DFL)
        os.kill(os.getpid(), -exit_code)
    os._exit(exit_code)


def main(arguments: list[str]) -> None:
    """Let the server fork, or become the process."""
    is_module = arguments[:1] == ["-m"]
    said = answer(os.environ.get(SOCKET_VARIABLE, ""), arguments)
    if said.startswith(FORKED):
        exit_code = said[len(FORKED) :] or b"1"  # a server that died says none
        end_as(int(exit_code) if is_module else 0)
    program = arguments if is_module else [os.environ[WORKER_VARIABLE], *arguments]
    os.execv(sys.executable, [sys.executable, *program])


if __name__ == "__main__":
    main(sys.argv[1:])
