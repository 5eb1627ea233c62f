"""How many games of a tournament were played: a line in place on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rlsweep.analysis.wording import duration
from rlsweep.reports.progress import LINES_EVERY_SECONDS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status


class GamesProgress:
    """Use it as a context manager and call what that gives with the number of games on record."""

    def __init__(self, console: "Console", planned: int) -> None:
        self._console = console
        self._planned = planned
        self._status: Status | None = None
        self._before: tuple[float, int] | None = None
        self._told = time.monotonic()

    def __enter__(self) -> Callable[[int], None]:
        if self._console.is_terminal:
            self._status = self._console.status(f"0 of {self._planned:,} games")
            self._status.start()
        return self._tell

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def _tell(self, done: int) -> None:
        now = time.monotonic()
        if self._before is None:
            self._before = now, done
        line = f"{done:,} of {self._planned:,} games{self._pace(now, done)}"
        if self._status is not None:
            self._status.update(line)
        elif now - self._told >= LINES_EVERY_SECONDS:
            self._told = now
            self._console.print(line, markup=False)

    def _pace(self, now: float, done: int) -> str:
        """Games a second since the first ones, and the time that is left."""
        assert self._before is not None
        began, first = self._before
        if now - began < 1 or done == first:
            return ""
        speed = (done - first) / (now - began)
        return f", {speed:,.0f} a second, {duration((self._planned - done) / speed)} left"
