"""Shows on stderr what a command waits for: in place on a terminal, as a line now and then elsewhere."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rlsweep.stages import telling

if TYPE_CHECKING:
    from rich.status import Status

FIRST_SECONDS = 10.0
"""Until the first line where stderr is no terminal: of what takes no longer, nothing is told."""

EVERY_SECONDS = 30.0
"""Between the lines that follow."""


@contextmanager
def shown_stages() -> Iterator[None]:
    """Show the stages of the command that runs in the context."""
    shown: _InPlace | _Lines = _InPlace() if sys.stderr.isatty() else _Lines()
    with telling(shown):
        yield


class _InPlace:
    """A line of the terminal that is gone once training moves."""

    def __init__(self) -> None:
        self._status: Status | None = None

    def __call__(self, text: str | None) -> None:
        if text is None:
            if self._status is not None:
                self._status.stop()
            self._status = None
        elif self._status is None:
            from rich.console import Console
            from rich.markup import escape

            self._status = Console(stderr=True).status(f"{escape(text)} …")
            self._status.start()
        else:
            from rich.markup import escape

            self._status.update(f"{escape(text)} …")


class _Lines:
    """Lines for a log, written by a thread that ends with the stage."""

    def __init__(self) -> None:
        self._text = ""
        self._over: threading.Event | None = None

    def __call__(self, text: str | None) -> None:
        self._text = text or ""
        if text is None and self._over is not None:
            self._over.set()
            self._over = None
        elif text is not None and self._over is None:
            self._over = threading.Event()
            threading.Thread(target=self._tell, args=(self._over,), name="stage", daemon=True).start()

    def _tell(self, over: threading.Event) -> None:
        seconds = FIRST_SECONDS
        while not over.wait(seconds):
            sys.stderr.write(f"{self._text} …\n")
            sys.stderr.flush()
            seconds = EVERY_SECONDS
