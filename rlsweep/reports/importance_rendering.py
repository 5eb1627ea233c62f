"""Which hyperparameters moved the score, and the search space, on a screen or in a pipe."""

from typing import TYPE_CHECKING

from rlsweep.analysis.wording import percent
from rlsweep.reports.importance import Importance
from rlsweep.reports.layout import Column, laid_out, wrapped
from rlsweep.reports.search_space import ShownSpace

if TYPE_CHECKING:
    from rich.console import Console


def render_importance(found: Importance, console: "Console") -> None:
    """Print which keys moved the score, and the share of each with its range."""
    console.print()
    _say(console, "What matters", style="bold")
    _say(console, found.text)
    if not found.keys:
        return
    columns = [
        Column("Hyperparameter", is_figure=False),
        Column("Explains"),
        Column("Range"),
        Column("", is_figure=False),
    ]
    rows = [
        [
            each.key,
            percent(each.share),
            f"{percent(each.low)} to {percent(each.high)}",
            "" if each.exceeds_random else "as random values do",
        ]
        for each in found.keys
    ]
    for part in laid_out(columns, rows, console.width, most_tables=2):
        console.print(part, soft_wrap=True)
    _say(console, found.how)


def render_space(space: ShownSpace, console: "Console") -> None:
    """Print from what the configs were drawn."""
    console.print()
    _say(console, "Search space", style="bold")
    _say(console, space.text)
    for each in space.keys:
        _say(console, f"{each.key}: {each.drawn}{'' if each.when is None else f', where {each.when}'}", mark="* ")
    if space.constraints:
        _say(console, f"Every config fulfils {'; '.join(space.constraints)}.")


def _say(console: "Console", text: str, *, mark: str = "", style: str = "") -> None:
    from rich.text import Text

    for line in wrapped(text, mark, console.width):
        console.print(Text(line, style=style), soft_wrap=True)
