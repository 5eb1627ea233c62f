"""What more training would buy, and whether less would have done, on a screen or in a pipe."""

from typing import TYPE_CHECKING

from rlsweep.analysis.wording import percent
from rlsweep.reports.layout import Column, laid_out, wrapped
from rlsweep.reports.prospects import Prospects
from rlsweep.reports.shorter_sweep import RankedConfig, ShorterSweep

if TYPE_CHECKING:
    from rich.console import Console


def render_prospects(found: Prospects, console: "Console") -> None:
    """Print how safe the answer is, and each way to go on with its command, which is left whole to be copied."""
    console.print()
    _say(console, "What more training would buy", style="bold")
    _say(console, found.text)
    for way in found.ways:
        _say(console, way.text, mark="* ")
        _say(console, f"    {way.command}", wrap=False)
    if found.next_step is not None:
        _say(console, f"{found.next_step.text}:", mark="* ")
        _say(console, f"    {found.next_step.command}", wrap=False)
    if found.how:
        _say(console, found.how)


def render_shorter(found: ShorterSweep, console: "Console") -> None:
    """Print whether a shorter sweep would have said the same, and the ranks along the budget."""
    console.print()
    _say(console, "Would a shorter sweep have said the same?", style="bold")
    for sentence in found.sentences:
        _say(console, sentence, mark="* ")
    if not found.configs:
        return
    _say(console, f"Ranks by {found.scored_by}; = where others share the rank.")
    columns = [Column("Config", is_figure=False), *(Column(percent(share)) for share in found.shares)]
    rows = [[config.name, *_ranks(found, config)] for config in found.configs]
    for part in laid_out(columns, rows, console.width, most_tables=2):
        console.print(part, soft_wrap=True)


def _ranks(found: ShorterSweep, config: RankedConfig) -> list[str]:
    shared = [[other.ranks[step] for other in found.configs] for step in range(len(found.shares))]
    return [f"{rank}{'=' if shared[step].count(rank) > 1 else ''}" for step, rank in enumerate(config.ranks)]


def _say(console: "Console", text: str, *, mark: str = "", style: str = "", wrap: bool = True) -> None:
    from rich.text import Text

    for line in wrapped(text, mark, console.width) if wrap else [text]:
        console.print(Text(line, style=style), soft_wrap=True)
