"""Where the user is told how a sweep or a run goes: a terminal, a log file, a notebook."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from rlsweep.places.outcome import SweepOutcome
from rlsweep.sweep_records import Overview


class ProgressObserver(Protocol):
    """What the user is told while training runs. Texts are plain: no markup, no colours, lines of any length."""

    def message(self, text: str) -> None:
        """Tell one thing that happened."""

    def warning(self, text: str) -> None:
        """Tell what is no error, but may surprise."""

    def live_progress(self) -> AbstractContextManager[Callable[[Overview], None]]:
        """Open a display of progress; what it gives is called about twice a second with how far training has come."""


class SweepObserver(ProgressObserver, Protocol):
    """What the user is told of a sweep."""

    def ended(self, outcome: SweepOutcome) -> None:
        """Show how it ended, with what its runs show; called once, while the database is still open."""
