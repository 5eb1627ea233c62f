"""The script that a local Ray starts as a worker: it lets the fork server of its session fork the worker instead.

Without an answer it becomes the worker itself, which then imports everything. It imports only the standard library.
"""

import json
import os
import signal
import socket
import sys

SOCKET_VARIABLE = "RLSWEEP_FORK_SERVER"
"""Path of the fork server's socket, for Ray's workers."""

WORKER_VARIABLE = "RLSWEEP_RAY_WORKER"
"""Path of Ray's own script of a worker."""

LENGTH_BYTES = 8
"""Size of the number before a request: the length of its JSON in bytes, big-endian."""

FORKED = b"1"
"""What the server sends once the worker is forked."""


def request() -> bytes:
    """Return as JSON what the worker must have as this process has it: arguments, folder, environment and the like."""
    return json.dumps(
        {
            "arguments": sys.argv[1:],
            "folder": os.getcwd(),
            "environ": dict(os.environ),
            "niceness": os.getpriority(os.PRIO_PROCESS, 0),
            "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        }
    ).encode()


def is_forked(path: str) -> bool:
    """Whether the server behind a socket has forked the worker, with this process's standard streams."""
    asked = request()
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            socket.send_fds(connection, [len(asked).to_bytes(LENGTH_BYTES, "big")], [0, 1, 2])
            connection.sendall(asked)
            return connection.recv(1) == FORKED
    except OSError:
        return False


if __name__ == "__main__":
    if not is_forked(os.environ[SOCKET_VARIABLE]):
        os.execv(sys.executable, [sys.executable, os.environ[WORKER_VARIABLE], *sys.argv[1:]])
