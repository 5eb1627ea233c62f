"""fANOVA for Training History in a process of its own: it takes a second or two, and 200 MB, to import.

The server starts it when somebody opens a page, and ends it once nobody has asked for a while. It ends with the server,
however that ends.
"""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Pipe

from rlsweep.errors import RlsweepError
from rlsweep.exit_codes import how_it_ended
from rlsweep.python_path import python_path
from rlsweep.spaces.importance import Column, Floats

logger = logging.getLogger(__name__)

COMMAND = (sys.executable, "-P", "-m", "rlsweep.spaces.importance_child")
"""What is in the current folder is no module of it: `-P`."""

IDLE_SECONDS = 300.0
"""After the last page or answer, until it is ended."""

MOST_SECONDS = 120.0
"""For an answer, with the imports: a second or two, and more where the machine is busy."""


class _Child:
    """The process, and the connection to it."""

    def __init__(self) -> None:
        ours, theirs = Pipe()
        with theirs:
            # a group of its own: Ctrl-C in the terminal ends the server, which ends it
            self.process = subprocess.Popen(
                COMMAND, stdin=theirs.fileno(), env=os.environ | {"PYTHONPATH": python_path()}, process_group=0
            )
        self.connection = ours

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.connection.close()


class ImportanceProcess:
    """The process, started where there is none; it answers one question at a time."""

    def __init__(self, *, idle_seconds: float = IDLE_SECONDS, most_seconds: float = MOST_SECONDS) -> None:
        self._idle_seconds, self._most_seconds = idle_seconds, most_seconds
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._used_at = 0.0
        self._timer: threading.Timer | None = None
        self._closed = False

    def begin(self) -> None:
        """Start the process, since a question may follow; where it cannot be started, the question has the error."""
        if self._lock.acquire(blocking=False):  # else it is at work
            try:
                self._running()
            except OSError as exc:
                logger.warning("The process that computes what matters could not be started: %s", exc)
            finally:
                self._lock.release()

    def shares(self, columns: Sequence[Column], mean: Floats, sd: Floats, freedom: float) -> Floats:
        """What `rlsweep.spaces.importance.shares` returns.

        Raises RlsweepError if the process ended, took too long, or met an error, which the message then has.
        """
        with self._lock:
            child = self._running()
            try:
                child.connection.send((columns, mean, sd, freedom))
                if not child.connection.poll(self._most_seconds):
                    raise TimeoutError
                answer: Floats | str = child.connection.recv()
            except TimeoutError:
                self._end()
                raise RlsweepError(f"Computing what matters took more than {self._most_seconds:g} s.") from None
            except (EOFError, OSError) as exc:
                self._end()
                how = how_it_ended(child.process.returncode)
                raise RlsweepError(f"The process that computes what matters {how}.") from exc
            self._used()
        if isinstance(answer, str):
            raise RlsweepError(f"What matters could not be computed:\n{answer}")
        return answer

    def close(self) -> None:
        """End the process. A question that it works at ends with an error, and so does every later one."""
        self._closed = True
        while not self._lock.acquire(timeout=0.05):
            if (child := self._child) is not None:
                child.process.kill()
        self._end()
        self._lock.release()

    def _running(self) -> _Child:
        """The process; a new one if there is none or it has ended."""
        if self._closed:
            raise RlsweepError("The server ends.")
        if self._child is not None and self._child.process.poll() is not None:
            self._end()
        if self._child is None:
            self._child = _Child()
        self._used()
        return self._child

    def _used(self) -> None:
        """Let the process be ended so many seconds from now."""
        self._used_at = time.monotonic()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(self._idle_seconds, self._end_if_idle)
        self._timer.daemon = True
        self._timer.start()

    def _end_if_idle(self) -> None:
        with self._lock:
            if time.monotonic() - self._used_at >= self._idle_seconds:
                self._end()

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._child is not None:
            self._child.end()
            self._child = None
