"""What the user of a terminal is told while training runs, and the exit code at its end."""

from typing import TYPE_CHECKING

from rlsweep.api.observers import PrintingObserver
from rlsweep.cli.output import EXIT_FAILED, EXIT_INTERRUPTED, print_json, warn
from rlsweep.places.outcome import Ending, SweepOutcome
from rlsweep.sweep_records import SweepStatus

if TYPE_CHECKING:
    from rich.console import Console


class ConsoleObserver(PrintingObserver):
    """Writes to a console, which may be a log file; with `json` the report goes to stdout as one JSON document."""

    def __init__(self, out: "Console", *, json: bool = False) -> None:
        super().__init__(out)
        self._json = json

    def warning(self, text: str) -> None:
        """Print a warning."""
        warn(text, self._out)

    def ended(self, outcome: SweepOutcome) -> None:
        """Print the report, whose next steps say how to continue what did not complete."""
        if self._json:
            _print_json(outcome)
        elif outcome.report is not None and outcome.ending is not Ending.NOTHING_TO_RUN:
            from rlsweep.reports.rendering import render

            render(outcome.report, self._out)


def exit_code(outcome: SweepOutcome) -> int:
    """The exit code of a command that drove or followed a sweep."""
    if outcome.ending is Ending.INTERRUPTED:
        return EXIT_INTERRUPTED
    failed = outcome.ending is Ending.FINISHED and outcome.sweep.status is not SweepStatus.COMPLETED
    return EXIT_FAILED if failed else 0


def _print_json(outcome: SweepOutcome) -> None:
    if outcome.report is None:
        print_json({"sweep": outcome.sweep})
        return
    from rlsweep.reports.summary import as_json

    print_json(as_json(outcome.report))
