"""Where Python's callers are told how training goes: lines in a script, one display that is updated in a notebook."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from rlsweep.places.observer import SweepObserver
from rlsweep.places.outcome import SweepOutcome
from rlsweep.reports.progress import LiveProgress, progress_table
from rlsweep.sweep_records import Overview, SweepStatus

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH = 100
"""Columns where the output is no terminal."""

_ROWS = 20
"""Trials that a notebook's display shows."""

_DRAW_SECONDS = 1.0
"""Between two updates of a notebook's display; each is a message to the browser."""

_NEXT_CALLS = {SweepStatus.PENDING: "resume", SweepStatus.STOPPED: "resume", SweepStatus.FAILED: "retry"}
"""What to call where not every trial completed."""


def make_observer(*, progress: bool) -> SweepObserver:
    """The observer for where this process runs; without `progress` one that tells nothing."""
    if not progress:
        return SilentObserver()
    return NotebookObserver(_plain_console()) if _is_notebook() else PrintingObserver(_console())


class PrintingObserver:
    """Writes to a console, line by line; on a terminal progress is a table in place."""

    def __init__(self, out: "Console") -> None:
        self._out = out

    def message(self, text: str) -> None:
        """Print a line, as long as it is."""
        self._out.print(text, markup=False, soft_wrap=True)

    def warning(self, text: str) -> None:
        """Print a warning."""
        self.message(f"Warning: {text}")

    def live_progress(self) -> AbstractContextManager[Callable[[Overview], None]]:
        """A table in place on a terminal, lines elsewhere."""
        return LiveProgress(self._out)

    def ended(self, outcome: SweepOutcome) -> None:
        """Say how the sweep ended, and what to call where trials are left."""
        name, status = outcome.sweep.name, outcome.sweep.status
        call = _NEXT_CALLS.get(status)
        self.message(f"Sweep {name}: {status.value}." + (f" Continue: rlsweep.{call}({name!r})" if call else ""))


class NotebookObserver(PrintingObserver):
    """As lines, but for progress: one display of the cell, which is updated."""

    @contextmanager
    def live_progress(self) -> Iterator[Callable[[Overview], None]]:
        """A table below the cell. IPython is loaded already where there is a notebook."""
        from IPython.display import display

        shown: Any = display({"text/plain": ""}, raw=True, display_id=True)
        drawn, latest = 0.0, None

        def draw(seen: Overview) -> None:
            nonlocal drawn, latest
            latest = seen
            if time.monotonic() - drawn >= _DRAW_SECONDS:
                drawn = time.monotonic()
                shown.update({"text/plain": _as_text(seen)}, raw=True)

        try:
            yield draw
        finally:
            if latest is not None:
                shown.update({"text/plain": _as_text(latest)}, raw=True)


class SilentObserver:
    """Tells nothing."""

    def message(self, text: str) -> None:
        """Nothing."""

    def warning(self, text: str) -> None:
        """Nothing."""

    @contextmanager
    def live_progress(self) -> Iterator[Callable[[Overview], None]]:
        """A display of nothing."""
        yield lambda _: None

    def ended(self, outcome: SweepOutcome) -> None:
        """Nothing."""


def _console() -> "Console":
    from rich.console import Console

    width = None if sys.stdout.isatty() else _WIDTH
    return Console(force_jupyter=False, width=width, highlight=False)


def _plain_console() -> "Console":
    """Text alone: in a kernel Rich would write HTML, or colours."""
    from rich.console import Console

    return Console(force_jupyter=False, force_terminal=False, color_system=None, width=_WIDTH, highlight=False)


def _is_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel")


def _as_text(seen: Overview) -> str:
    out = _plain_console()
    with out.capture() as captured:
        out.print(progress_table(seen, width=out.width, rows=_ROWS))
    return captured.get()
