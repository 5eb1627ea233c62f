"""What more training would buy, on a screen or in a pipe."""

from typing import TYPE_CHECKING

from rlsweep.reports.layout import wrapped
from rlsweep.reports.prospects import Prospects

if TYPE_CHECKING:
    from rich.console import Console


def render_prospects(found: Prospects, console: "Console") -> None:
    """Print how safe the answer is, and each way to go on with its command, which is left whole to be copied."""
    _say(console, "\nWhat more training would buy", style="bold")
    _say(console, found.text)
    for way in found.ways:
        _say(console, way.text, mark="* ")
        _say(console, f"    {way.command}", wrap=False)
    if found.next_step is not None:
        _say(console, f"{found.next_step.text}:", mark="* ")
        _say(console, f"    {found.next_step.command}", wrap=False)
    if found.how:
        _say(console, found.how)


def _say(console: "Console", text: str, *, mark: str = "", style: str = "", wrap: bool = True) -> None:
    from rich.text import Text

    for line in wrapped(text, mark, console.width) if wrap else [text]:
        console.print(Text(line, style=style), soft_wrap=True)
