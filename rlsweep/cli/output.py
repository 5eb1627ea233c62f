"""What commands leave behind: JSON for programs, Rich for people, an exit code for both."""

import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rlsweep.jsonable import jsonable

if TYPE_CHECKING:
    from rich.console import Console

EXIT_FAILED = 1
"""Some run did not complete."""

EXIT_INTERRUPTED = 130
"""Ctrl-C, or a signal to end."""

PIPE_WIDTH = 100
"""Columns where the output is no terminal."""


def console(*, stderr: bool = False) -> "Console":
    """Make a console as wide as the terminal."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else PIPE_WIDTH, highlight=False)


def warn(of: str, out: "Console") -> None:
    """Print a warning."""
    out.print(f"Warning: {of}", markup=False, style="yellow", soft_wrap=True)


def can_ask() -> bool:
    """Whether somebody sits at a terminal who can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def print_json(value: Any) -> None:
    """Write one JSON document to stdout; what is no finite number becomes null, for JSON knows none."""
    json.dump(jsonable(value), sys.stdout, indent=2, allow_nan=False)
    sys.stdout.write("\n")


def size(number_of_bytes: float) -> str:
    """Write bytes as `90 kB`, `328 MB` or `1.1 GB`."""
    if number_of_bytes >= 1e9:
        return f"{number_of_bytes / 1e9:.1f} GB"
    return f"{number_of_bytes / 1e6:.0f} MB" if number_of_bytes >= 1e6 else f"{number_of_bytes / 1e3:.0f} kB"


def when(moment: datetime) -> str:
    """Write a moment in the user's own time zone."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")
