"""Training History in a process of its own, kept up while the service is."""

import logging
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from rlsweep.errors import RlsweepError

logger = logging.getLogger(__name__)

RESTART_SECONDS = 5.0
"""Between two starts of a page server that ends by itself."""


@contextmanager
def page_process(port: int, environ: Mapping[str, str]) -> Iterator[Callable[[], None]]:
    """Training History while the context lasts; call what is yielded often: it starts it again where it ended."""
    process, started = _start(port, environ), time.monotonic()
    _wait_for(process, port)

    def keep_up() -> None:
        nonlocal process, started
        if process.poll() is not None and time.monotonic() - started >= RESTART_SECONDS:
            logger.warning("Training History ended (%s) and is started again", process.returncode)
            process, started = _start(port, environ), time.monotonic()

    try:
        yield keep_up
    finally:
        process.terminate()
        process.wait()


def _start(port: int, environ: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "rlsweep", "serve", "--port", str(port), "--with-parent"]
    kept = {name: value for name, value in environ.items() if not name.startswith("RAY_")}
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, env=kept, start_new_session=True)


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until it answers. Raises RlsweepError where it ends instead, having written why."""
    while process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return
        time.sleep(0.1)
    raise RlsweepError(f"Training History ended at once ({process.returncode}).")
