"""What a sweep's end means for the exit code, and what is printed of it."""

import io
import json
from typing import Any

import pytest
from rich.console import Console

from rlsweep.cli.observer import ConsoleObserver, exit_code
from rlsweep.places.outcome import Ending, SweepOutcome
from rlsweep.sweep_records import SweepStatus


class Record:
    """As much of a sweep as its end needs."""

    def __init__(self, status: SweepStatus) -> None:
        self.status = status
        self.name = "night"


def outcome(ending: Ending, status: SweepStatus, report: Any = None) -> SweepOutcome:
    sweep: Any = Record(status)
    return SweepOutcome(sweep=sweep, ending=ending, report=report)


@pytest.mark.parametrize(
    ("ending", "status", "code"),
    [
        (Ending.FINISHED, SweepStatus.COMPLETED, 0),
        (Ending.FINISHED, SweepStatus.FAILED, 1),
        (Ending.FINISHED, SweepStatus.STOPPED, 1),
        (Ending.INTERRUPTED, SweepStatus.STOPPED, 130),
        (Ending.INTERRUPTED, SweepStatus.COMPLETED, 130),
        (Ending.LEFT_RUNNING, SweepStatus.PENDING, 0),
        (Ending.NOTHING_TO_RUN, SweepStatus.FAILED, 0),
    ],
)
def test_exit_codes(ending: Ending, status: SweepStatus, code: int) -> None:
    assert exit_code(outcome(ending, status)) == code


@pytest.mark.parametrize(
    ("ending", "report"), [(Ending.LEFT_RUNNING, None), (Ending.NOTHING_TO_RUN, "a report that is not shown")]
)
def test_nothing_is_reported_of_a_sweep_that_was_not_run_here(ending: Ending, report: str | None) -> None:
    out = io.StringIO()
    ConsoleObserver(Console(file=out)).ended(outcome(ending, SweepStatus.PENDING, report))
    assert out.getvalue() == ""


def test_a_sweep_that_is_left_running_is_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    left = SweepOutcome(sweep={"name": "night"}, ending=Ending.LEFT_RUNNING, report=None)  # type: ignore[arg-type]
    ConsoleObserver(Console(file=out), json=True).ended(left)
    assert json.loads(capsys.readouterr().out) == {"sweep": {"name": "night"}}
    assert out.getvalue() == ""


def test_messages_are_printed_as_they_are() -> None:
    out = io.StringIO()
    observer = ConsoleObserver(Console(file=out, width=40))
    observer.message("a [bold]name[/bold] " + "x" * 60)
    observer.warning("[red] is no colour")
    assert out.getvalue() == "a [bold]name[/bold] " + "x" * 60 + "\nWarning: [red] is no colour\n"
