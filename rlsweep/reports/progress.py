"""How far a sweep has come: the same table in `submit` and in `status`, redrawn in place or line by line."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from rlsweep.analysis.progress import seconds_left, total_seconds_left, total_share_done
from rlsweep.analysis.rungs import rung_words, waits_at
from rlsweep.analysis.wording import duration, fine_percent, number, percent
from rlsweep.reports.layout import MISSING, Column, laid_out
from rlsweep.reports.population_line import population_line
from rlsweep.reports.race_line import race_line
from rlsweep.runs import RECENT_EPISODES, WATCHED_FIRST, RunStatus, RunSummary
from rlsweep.sweep_records import Overview

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.live import Live

Value = TypeVar("Value")

RECENT = f"last {RECENT_EPISODES}"
"""The episodes of training over which reward and wins are means."""

LINES_OF_PARAGRAPH = 3
"""Of a trial on a screen that is too narrow for the table."""

LINES_EVERY_SECONDS = 10.0
"""Between two totals where the output is no terminal."""


def progress_table(seen: Overview, *, width: int, rows: int | None = None, is_live: bool = False) -> "Group":
    """Draw each trial that is shown, in a table or a paragraph of its own, and a total.

    rows: lines of the screen for trials; with more of them, those that run come first
    is_live: they are being driven, so that the next ones begin soon where none runs
    """
    from rich.console import Group
    from rich.text import Text

    unit = "episodes" if all(map(_counts_episodes, seen.runs)) else "env steps"
    columns = (
        Column("trial"),
        Column("status", is_figure=False, is_plain=True),
        Column(unit),
        *(Column(f"{what}\n{RECENT}") for what in ("reward,", "wins,")),
        Column("steps/s", is_extra=True),
        Column("left"),
    )
    shown = _foremost(seen, rows)
    parts = laid_out(columns, [_row(run) for run in shown], width)
    if rows is not None and len(parts) > 1:
        shown = _foremost(seen, max(1, rows // LINES_OF_PARAGRAPH))
        parts = laid_out(columns, [_row(run) for run in shown], width)
    if len(shown) < seen.total:
        parts.append(Text(f"and {seen.total - len(shown):,} more"))
    parts.append(Text(_total(seen, is_live=is_live)))
    if seen.decision is not None:
        parts.append(Text(race_line(seen.decision)))
    if (rungs := _rungs(seen)) is not None:
        parts.append(Text(rungs))
    if seen.population is not None:
        parts.append(Text(population_line(seen.population)))
    return Group(*parts)


def _foremost(seen: Overview, rows: int | None) -> Sequence[RunSummary]:
    if rows is None or len(seen.runs) <= rows:
        return seen.runs
    return sorted(seen.runs, key=_importance)[:rows]


def _row(run: RunSummary) -> tuple[str, ...]:
    return (
        run.label,
        _status(run),
        _done(run),
        _optional(number, run.mean_reward),
        _optional(percent, run.win_rate),
        _optional(number, run.steps_per_second),
        _optional(duration, seconds_left(run)),
    )


def progress_line(run: RunSummary) -> str:
    """Write what is known of a run, for output that is no terminal."""
    parts = [f"{run.label}: {_status(run)}", f"{_done(run)} {'episodes' if _counts_episodes(run) else 'env steps'}"]
    if _counts_episodes(run) and run.env_steps:
        parts.append(f"{run.env_steps:,} env steps")
    if run.mean_reward is not None:
        recent = [f"reward {number(run.mean_reward)}"]
        recent += [] if run.win_rate is None else [f"wins {percent(run.win_rate)}"]
        parts.append(f"{', '.join(recent)} ({RECENT})")
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
        self._copies = 0

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
        self._live.update(progress_table(seen, width=self._console.width, rows=rows, is_live=True), refresh=True)

    def _tell(self, seen: Overview) -> None:
        are_all = len(seen.runs) == seen.total
        for run in seen.runs:
            if (are_all or run.status is RunStatus.FAILED) and self._is_news(run):
                self._told[run.id] = run.status
                self._console.print(progress_line(run), soft_wrap=True, markup=False)
        if seen.decision is not None and seen.decision.number > self._last_decision:
            self._last_decision = seen.decision.number
            self._console.print(race_line(seen.decision), soft_wrap=True, markup=False)
        if seen.population is not None and seen.population.copies > self._copies:
            self._copies = seen.population.copies
            self._console.print(population_line(seen.population), soft_wrap=True, markup=False)
        now = datetime.now(UTC)
        if (now - self._last_total).total_seconds() >= LINES_EVERY_SECONDS:
            self._last_total = now
            self._console.print(_total(seen, is_live=True), soft_wrap=True, markup=False)
            if (rungs := _rungs(seen)) is not None:
                self._console.print(rungs, soft_wrap=True, markup=False)

    def _is_news(self, run: RunSummary) -> bool:
        return run.status is not self._told.get(run.id, RunStatus.PENDING)


def _importance(run: RunSummary) -> int:
    return WATCHED_FIRST.index(run.status)


def _status(run: RunSummary) -> str:
    """The status; a trial that was stopped before it began did not start."""
    if run.status is RunStatus.STOPPED and run.attempt == 0:
        return "not started"
    if run.stop_requested and run.status is RunStatus.RUNNING:
        return "stopping"
    return waits_at(run) or run.status.value


def _counts_episodes(run: RunSummary) -> bool:
    return run.budget.episodes is not None


def _done(run: RunSummary) -> str:
    """What is done of what the budget allows, in episodes where it counts them, else in env steps."""
    episodes, env_steps = run.budget.episodes, run.budget.total_timesteps
    if episodes is not None:
        return f"{run.episodes:,}/{episodes:,}"
    return f"{run.env_steps:,}" if env_steps is None else f"{run.env_steps:,}/{env_steps:,}"


def _total(seen: Overview, *, is_live: bool) -> str:
    """What is done of all trials; one is done that spent its budget."""
    counts, left = seen.runs_by_status, total_seconds_left(seen)
    parts = [
        f"{counts.get(RunStatus.COMPLETED, 0):,} of {seen.total:,} trials done",
        fine_percent(total_share_done(seen)),
    ]
    ended_early = (RunStatus.PAUSED, RunStatus.STOPPED, RunStatus.FAILED)
    parts += [f"{counts[status]:,} {status}" for status in ended_early if counts.get(status)]
    if len(seen.runs) == seen.total and (steps := sum(run.env_steps for run in seen.runs)):
        parts.append(f"{steps:,} env steps")
    paces = [run.steps_per_second for run in seen.runs if run.status is RunStatus.RUNNING and run.steps_per_second]
    if paces:
        parts.append(f"{number(sum(paces))} steps/s")
    if left is not None:
        parts.append(f"{duration(left)} left")
    if is_live and counts.get(RunStatus.PENDING) and not counts.get(RunStatus.RUNNING):
        parts.append("starting trials")
    return ", ".join(parts)


def _rungs(seen: Overview) -> str | None:
    """How many runs have come to each rung; None without ASHA."""
    if seen.asha is None or not seen.runs:
        return None
    budget = seen.runs[0].budget
    parts = [
        f"{rung.reached:,} at rung {number} ({rung_words(budget, rung.share)})"
        for number, rung in enumerate(seen.asha.rungs, start=1)
    ]
    return f"Came to a rung: {', '.join(parts)}"


def _optional(write: Callable[[Value], str], value: Value | None) -> str:
    return MISSING if value is None else write(value)
