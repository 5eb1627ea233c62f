"""Rows of figures on a screen of any width: a table where it fits, else a paragraph a row, so that no figure is cut."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

NARROWEST = 40
"""Columns below which wrapping makes a text harder to read than the terminal's own line breaks."""

MISSING = "–"
"""A cell without a value; paragraphs leave it out."""

_NO_BREAK = "\N{NO-BREAK SPACE}"

_GAP = 1
"""Columns between two cells."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    heading: may have two lines
    is_figure: whether it is set flush right
    is_plain: whether a paragraph gives the cell without its heading
    is_extra: whether a table does without it where it would not fit otherwise
    """

    heading: str
    is_figure: bool = True
    is_plain: bool = False
    is_extra: bool = False


def wrapped(text: str, mark: str, width: int) -> list[str]:
    """Lines of at most `width` columns where words allow; those after the first hang under the text."""
    filler = textwrap.TextWrapper(
        width=max(width, NARROWEST),
        initial_indent=mark,
        subsequent_indent=" " * (len(mark) if mark.strip() or not mark else len(mark) + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return filler.wrap(text) or [""]


def laid_out(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int, *, most_tables: int = 1
) -> "list[RenderableType]":
    """What to print of the rows, whose first cell is their name: tables that fit, else paragraphs.

    Where not all columns fit, those without a value and those that can be spared go first.
    most_tables: into how many tables with some of the columns each, and the names, they may be divided
    """
    everything = range(len(columns))
    valued = [place for place in everything if not place or any(row[place] != MISSING for row in rows)]
    needed = [place for place in valued if not columns[place].is_extra]
    for kept, most in ((everything, 1), (valued, 1), (needed, 1), (everything, most_tables)):
        parts = _parts([_widest(columns[place], rows, place) for place in kept], width)
        if parts is not None and len(parts) <= most:
            return [_table(columns, rows, [kept[index] for index in part]) for part in parts]
    return list(_paragraphs(columns, rows, width))


def _widest(column: Column, rows: Sequence[Sequence[str]], place: int) -> int:
    return max(map(len, [*column.heading.split("\n"), *(row[place] for row in rows)]))


def _parts(widths: Sequence[int], width: int) -> list[list[int]] | None:
    """The columns of each table, as equally many as fit beside the names; None where one does not fit."""
    name, *others = widths
    if not others:
        return [[0]] if name <= width else None
    if name + _GAP + max(others) > width:
        return None
    parts: list[list[int]] = []
    taken = width
    for place, wide in enumerate(others, start=1):
        if taken + _GAP + wide > width:
            parts.append([0])
            taken = name
        parts[-1].append(place)
        taken += _GAP + wide
    return parts


def _table(columns: Sequence[Column], rows: Sequence[Sequence[str]], part: Sequence[int]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for place in part:
        justify = "right" if place and columns[place].is_figure else "left"
        table.add_column(Text(columns[place].heading), justify=justify, no_wrap=True, vertical="bottom")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*(Text(row[place]) for place in part))
    return table


def _paragraphs(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> "Iterator[Text]":
    from rich.text import Text

    for name, *cells in rows:
        yield Text(name, no_wrap=True, overflow="ignore")
        said = [_said(column, cell) for column, cell in zip(columns[1:], cells, strict=True) if cell != MISSING]
        for line in wrapped(", ".join(filter(None, said)), "    ", width):
            yield Text(line.replace(_NO_BREAK, " "), no_wrap=True, overflow="ignore")


def _said(column: Column, cell: str) -> str:
    text = cell if column.is_plain or not cell else f"{' '.join(column.heading.split())} {cell}"
    return text.replace(" ", _NO_BREAK)
