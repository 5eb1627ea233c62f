"""How far a sweep has come: the same table in `submit` and in `status`, redrawn in place or line by line."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from rlsweep.analysis.progress import seconds_left, total_seconds_left, total_share_done
from rlsweep.analysis.wording import duration, number, percent
from rlsweep.reports.race_line import race_line
from rlsweep.runs import WATCHED_FIRST, RunStatus, RunSummary
from rlsweep.sweep_records import Overview

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.live import Live

Value = TypeVar("Value")

MISSING = "–"
LINES_EVERY_SECONDS = 10.0
"""Between two totals where the output is no terminal."""


def progress_table(seen: Overview, *, rows: int | None = None) -> "Group":
    """Draw one line a trial that is shown, and a total; with more of them than `rows`, those that run come first."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("trial", no_wrap=True, overflow="ellipsis", min_width=16)
    unit = "episodes" if all(map(_counts_episodes, seen.runs)) else "env steps"
    for heading in ("status", unit, "reward", "wins", "steps/s", "left"):
        table.add_column(heading, justify="left" if heading == "status" else "right", no_wrap=True)
    shown = seen.runs if rows is None or len(seen.runs) <= rows else sorted(seen.runs, key=_importance)[:rows]
    for run in shown:
        table.add_row(
            Text(run.label),
            _status(run),
            _done(run),
            _optional(number, run.mean_reward),
            _optional(percent, run.win_rate),
            _optional(number, run.steps_per_second),
            _optional(duration, seconds_left(run)),
        )
    if len(shown) < seen.total:
        table.add_row(f"and {seen.total - len(shown):,} more")
    lines = [Text(_total(seen))]
    if seen.decision is not None:
        lines.append(Text(race_line(seen.decision)))
    return Group(table, *lines)


def progress_line(run: RunSummary) -> str:
    """Write what is known of a run, for output that is no terminal."""
    unit = "ep" if _counts_episodes(run) else "steps"
    parts = [f"{run.label}: {_status(run)}", f"{_done(run)} {unit}"]
    if run.mean_reward is not None:
        parts.append(f"reward {number(run.mean_reward)}")
    if run.win_rate is not None:
        parts.append(f"wins {percent(run.win_rate)}")
    if run.steps_per_second is not None:
        parts.append(f"{number(run.steps_per_second)} steps/s")
    left = seconds_left(run)
    if left is not None:
        parts.append(f"{duration(left)} left")
    return ", ".join(parts)


class LiveProgress:
    """Shows how far runs have come: a table in place on a terminal, lines elsewhere.

    Use it as a context manager and call what that gives with an overview, as often as there is news. Of runs that are
    too many to be shown, the lines tell the failures and the total.
    """

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._live: Live | None = None
        self._told: dict[UUID, RunStatus] = {}
        self._last_total = datetime.now(UTC)
        self._last_decision = 0

    def __enter__(self) -> Callable[[Overview], None]:
        if not self._console.is_terminal:
            return self._tell
        from rich.live import Live

        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()
        return self._draw

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def _draw(self, seen: Overview) -> None:
        assert self._live is not None
        rows = max(3, self._console.height - 6)
        self._live.update(progress_table(seen, rows=rows), refresh=True)

    def _tell(self, seen: Overview) -> None:
        are_all = len(seen.runs) == seen.total
        for run in seen.runs:
            if (are_all or run.status is RunStatus.FAILED) and self._is_news(run):
                self._told[run.id] = run.status
                self._console.print(progress_line(run), soft_wrap=True, markup=False)
        if seen.decision is not None and seen.decision.number > self._last_decision:
            self._last_decision = seen.decision.number
            self._console.print(race_line(seen.decision), soft_wrap=True, markup=False)
        now = datetime.now(UTC)
        if (now - self._last_total).total_seconds() >= LINES_EVERY_SECONDS:
            self._last_total = now
            self._console.print(_total(seen), soft_wrap=True, markup=False)

    def _is_news(self, run: RunSummary) -> bool:
        return run.status is not self._told.get(run.id, RunStatus.PENDING)


def _importance(run: RunSummary) -> int:
    return WATCHED_FIRST.index(run.status)


def _status(run: RunSummary) -> str:
    return "stopping" if run.stop_requested and run.status is RunStatus.RUNNING else run.status.value


def _counts_episodes(run: RunSummary) -> bool:
    return run.budget.episodes is not None


def _done(run: RunSummary) -> str:
    """What is done of what the budget allows, in episodes where it counts them, else in env steps."""
    episodes, env_steps = run.budget.episodes, run.budget.total_timesteps
    if episodes is not None:
        return f"{run.episodes:,}/{episodes:,}"
    return f"{run.env_steps:,}" if env_steps is None else f"{run.env_steps:,}/{env_steps:,}"


def _total(seen: Overview) -> str:
    left = total_seconds_left(seen)
    paused, failed = (seen.runs_by_status.get(status, 0) for status in (RunStatus.PAUSED, RunStatus.FAILED))
    parts = [f"{seen.finished - paused:,} of {seen.total:,} trials done", f"{total_share_done(seen):.0%}"]
    if paused:
        parts.append(f"{paused:,} paused")
    if failed:
        parts.append(f"{failed:,} failed")
    if left is not None:
        parts.append(f"{duration(left)} left")
    return ", ".join(parts)


def _optional(write: Callable[[Value], str], value: Value | None) -> str:
    return MISSING if value is None else write(value)
