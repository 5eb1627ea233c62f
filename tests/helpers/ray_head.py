"""A running Ray for tests that share one, and what ends a process with all below it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import psutil

from rlsweep.cluster.joining import use_token_if_any
from rlsweep.cluster.ray_internals import reread_authentication

HERE = Path(__file__).parent
IMPORTED_FROM = os.pathsep.join([str(HERE), str(HERE.parents[1])])
"""PYTHONPATH of commands and Ray: environments of tests, and the rlsweep under test before whatever is installed."""

HEAD_TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "f00d" * 16}


def own_environ() -> dict[str, str]:
    """Without what the caller has set of rlsweep's and Ray's variables."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("RLSWEEP_", "RAY_"))}
    return kept | {"PYTHONPATH": IMPORTED_FROM, "OMP_NUM_THREADS": "1"}


@contextmanager
def authenticated(environ: Mapping[str, str]) -> Iterator[None]:
    """Ray's client in this process uses the token of `environ` while the context lasts, as a new process would."""
    with patch.dict(os.environ, environ):
        use_token_if_any()
        reread_authentication()
        try:
            yield
        finally:
            _wait_for_sessions()
    reread_authentication()


def _wait_for_sessions() -> None:
    """A command that ends early leaves its Ray while that still starts; afterwards the session restores variables."""
    for thread in threading.enumerate():
        if thread.name == "ray":
            thread.join(60)


class RayHead:
    """A cluster of one node, as an administrator would start it, who says that it has a GPU."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free, socket.socket() as other:
            free.bind(("127.0.0.1", 0))
            other.bind(("127.0.0.1", 0))
            port, dashboard_port = free.getsockname()[1], other.getsockname()[1]
        folder.mkdir()
        command = [sys.executable, str(HERE / "forking_head.py"), str(folder), "--head", "--block", f"--port={port}"]
        options = [
            "--node-ip-address=127.0.0.1",
            "--num-cpus=2",
            "--num-gpus=1",
            "--include-dashboard=false",
            f"--dashboard-port={dashboard_port}",  # taken even so; a head whose usual port is taken ends
            "--disable-usage-stats",
        ]
        self.address = f"127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [*command, *options, f"--temp-dir={folder / 'ray'}"],
            env=own_environ() | HEAD_TOKEN | {"RAY_worker_niceness": "0"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(port)

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        end_tree(self._process.pid)
        self._process.wait(timeout=30)


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the cluster did not start")


def end_tree(pid: int) -> None:
    """Kill a process and all below it, by id."""
    try:
        root = psutil.Process(pid)
        family = [*root.children(recursive=True), root]
    except psutil.NoSuchProcess:
        return
    for process in family:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
