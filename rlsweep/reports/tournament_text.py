"""A tournament on a screen or in a pipe."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rlsweep.analysis.wording import percent
from rlsweep.reports.layout import MISSING, Column, laid_out, wrapped
from rlsweep.reports.rendering import table_width
from rlsweep.reports.tournament import Standing, TournamentResults

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

MOST_ROWS = 40
"""Players that a table shows; the page and --json have more."""


def render_tournament(results: TournamentResults, console: "Console", *, matrix: bool) -> None:
    """Print what it tells, the ratings, and who beat whom where that fits or is asked for."""
    from rich.text import Text

    def say(text: str, style: str = "") -> None:
        for line in wrapped(text, "", console.width):
            console.print(Text(line, style=style), soft_wrap=True)

    played = f"{results.games:,}" if results.is_complete else f"{results.games:,} of {results.planned:,}"
    say(f"Tournament {str(results.id)[:8]}: {results.environment}, {played} games", style="bold")
    say(results.terms)
    console.print()
    say(results.headline)
    console.print()
    for standings, heading in ((results.configs, "Config"), (results.standings, "Player")):
        if not standings:
            continue
        for part in _ratings(standings, heading, console.width):
            console.print(part)
        if len(standings) > MOST_ROWS:
            say(f"and {len(standings) - MOST_ROWS} more")
        console.print()
    table = _matrix(results.configs or results.standings)
    if matrix or table_width(table, console) <= console.width:
        say("Share of the points of the row's player against the column's:")
        console.print(table, crop=not matrix, soft_wrap=matrix)
        console.print()
    for note in results.notes:
        say(note)


def _ratings(standings: Sequence[Standing], heading: str, width: int) -> Sequence["RenderableType"]:
    columns = (
        Column(heading, is_figure=False),
        Column("Rank"),
        Column("Elo"),
        Column("95%"),
        Column("W-D-L"),
        Column("First"),
        Column("Second"),
    )
    rows = [
        (
            standing.name,
            MISSING if standing.rank is None else str(standing.rank),
            _elo(standing.rating),
            _interval(standing),
            f"{standing.wins}-{standing.draws}-{standing.losses}",
            _share(standing.first.share),
            _share(standing.second.share),
        )
        for standing in standings[:MOST_ROWS]
    ]
    return laid_out(columns, rows, width)


def _matrix(standings: Sequence[Standing]) -> "Table":
    """Rows and columns in the order of the ratings; a column goes by its row's number."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for number in range(1, len(standings) + 1):
        table.add_column(str(number), justify="right", no_wrap=True)
    for number, standing in enumerate(standings, start=1):
        table.add_row(str(number), Text(standing.name), *(_cell(cell) for cell in standing.against))
    return table


def _cell(against: tuple[int, int, int] | None) -> str:
    if against is None or sum(against) == 0:
        return "·"
    wins, draws, _ = against
    return percent((wins + draws / 2) / sum(against))


def _elo(value: float) -> str:
    return f"{value:+.0f}"


def _interval(standing: Standing) -> str:
    low, high = standing.low, standing.high
    return MISSING if low is None or high is None else f"{_elo(low)} to {_elo(high)}"


def _share(share: float | None) -> str:
    return MISSING if share is None else percent(share)
