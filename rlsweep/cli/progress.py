"""How far a sweep has come: the same table in `submit` and in `status`, redrawn in place or line by line."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from rlsweep.analysis.progress import seconds_left, share_done, total_seconds_left
from rlsweep.analysis.wording import number, percent
from rlsweep.cli.output import duration
from rlsweep.runs import RunStatus, TrainingRun

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.live import Live

Value = TypeVar("Value")

MISSING = "–"
LINES_EVERY_SECONDS = 10.0
"""Between two totals where the output is no terminal."""


def progress_table(runs: Sequence[TrainingRun], *, rows: int | None = None) -> "Group":
    """Draw one line a trial and a total; with more trials than `rows`, those that run come first."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("trial", no_wrap=True, overflow="ellipsis", min_width=16)
    unit = "episodes" if all(map(_counts_episodes, runs)) else "env steps"
    for heading in ("status", unit, "reward", "wins", "steps/s", "left"):
        table.add_column(heading, justify="left" if heading == "status" else "right", no_wrap=True)
    shown = list(runs) if rows is None or len(runs) <= rows else sorted(runs, key=_importance)[:rows]
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
    if len(shown) < len(runs):
        table.add_row(f"and {len(runs) - len(shown):,} more")
    return Group(table, Text(_total(runs)))


def progress_line(run: TrainingRun) -> str:
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
    """Shows the progress of runs: a table in place on a terminal, lines elsewhere.

    Use it as a context manager and call what that gives with the runs, as often as there is news.
    """

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._live: Live | None = None
        self._told: dict[str, RunStatus] = {}
        self._last_total = datetime.now(UTC)

    def __enter__(self) -> Callable[[Sequence[TrainingRun]], None]:
        if not self._console.is_terminal:
            return self._tell
        from rich.live import Live

        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()
        return self._draw

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def _draw(self, runs: Sequence[TrainingRun]) -> None:
        assert self._live is not None
        rows = max(3, self._console.height - 6)
        self._live.update(progress_table(runs, rows=rows), refresh=True)

    def _tell(self, runs: Sequence[TrainingRun]) -> None:
        for run in runs:
            if run.status is not self._told.get(str(run.id), RunStatus.PENDING):
                self._told[str(run.id)] = run.status
                self._console.print(progress_line(run), soft_wrap=True, markup=False)
        now = datetime.now(UTC)
        if (now - self._last_total).total_seconds() >= LINES_EVERY_SECONDS:
            self._last_total = now
            self._console.print(_total(runs), soft_wrap=True, markup=False)


def _importance(run: TrainingRun) -> int:
    order = (RunStatus.RUNNING, RunStatus.FAILED, RunStatus.PENDING, RunStatus.STOPPED, RunStatus.COMPLETED)
    return order.index(run.status)


def _status(run: TrainingRun) -> str:
    return "stopping" if run.stop_requested and run.status is RunStatus.RUNNING else run.status.value


def _counts_episodes(run: TrainingRun) -> bool:
    return run.config["budget"]["episodes"] is not None


def _done(run: TrainingRun) -> str:
    """What is done of what the budget allows, in episodes where it counts them, else in env steps."""
    if _counts_episodes(run):
        return f"{run.episodes:,}/{run.config['budget']['episodes']:,}"
    return f"{run.env_steps:,}/{run.config['budget']['total_timesteps']:,}"


def _total(runs: Sequence[TrainingRun]) -> str:
    finished = sum(run.status.is_finished for run in runs)
    left = total_seconds_left(runs)
    failed = sum(run.status is RunStatus.FAILED for run in runs)
    share = sum(1.0 if run.status.is_finished else share_done(run) for run in runs) / max(1, len(runs))
    parts = [f"{finished} of {len(runs)} trials done", f"{share:.0%}"]
    if failed:
        parts.append(f"{failed} failed")
    if left is not None:
        parts.append(f"{duration(left)} left")
    return ", ".join(parts)


def _optional(write: Callable[[Value], str], value: Value | None) -> str:
    return MISSING if value is None else write(value)
