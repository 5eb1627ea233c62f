"""The list of runs by score, and the scores that this process has worked out before."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from rlsweep.errors import InputError
from rlsweep.reports.run_scores import RunScore, run_scores
from rlsweep.store import listing
from rlsweep.store.database import Database
from rlsweep.store.listing import Filters, Place, RunPage

MOST_BY_SCORE = 1_000
"""Runs that a list sorted by score may have: a score is read from a run's episodes, 0.3 ms a run at first."""

_READ_AT_ONCE = 500
_MOST_KEPT = 50_000


class ScoreMemory:
    """The scores of runs, kept for as long as the runs record nothing more."""

    def __init__(self) -> None:
        self._kept: dict[UUID, tuple[str, RunScore | None]] = {}

    def scores(self, database: Database, marks: Mapping[UUID, str]) -> dict[UUID, RunScore]:
        """The score of each run; runs without one are left out.

        marks: by run id, a text that changes whenever the run records anything
        """
        missing = [run_id for run_id, mark in marks.items() if self._kept.get(run_id, ("",))[0] != mark]
        if len(self._kept) + len(missing) > _MOST_KEPT:
            self._kept = {}
            missing = list(marks)
        found: dict[UUID, RunScore | None] = {}
        for first in range(0, len(missing), _READ_AT_ONCE):
            part = missing[first : first + _READ_AT_ONCE]
            found |= dict.fromkeys(part) | run_scores(database, listing.summaries(database, part))
        self._kept |= {run_id: (marks[run_id], score) for run_id, score in found.items()}
        known = {run_id: found[run_id] if run_id in found else self._kept[run_id][1] for run_id in marks}
        return {run_id: score for run_id, score in known.items() if score is not None}


def list_by_score(
    database: Database, memory: ScoreMemory, filters: Filters, limit: int, after: Place | None, *, descending: bool
) -> RunPage:
    """Read `limit` runs after `after`, or the first ones; runs without a score are last.

    Raises InputError where more than MOST_BY_SCORE runs match.
    """
    marks, total = listing.matching(database, filters, MOST_BY_SCORE)
    if total > MOST_BY_SCORE:
        raise InputError(
            f"sort=score: {total:,} runs match, and at most {MOST_BY_SCORE:,} can be sorted by score. "
            "Filter by sweep, agent, status or words."
        )
    scores = memory.scores(database, marks)
    known = sorted(((score.value, run_id) for run_id, score in scores.items()), reverse=descending)
    unknown = sorted((run_id for run_id in marks if run_id not in scores), reverse=descending)
    order: list[tuple[float | None, UUID]] = [*known, *((None, run_id) for run_id in unknown)]
    begin = 0 if after is None else _first_after(order, after, descending)
    shown = order[begin : begin + limit]
    is_last = begin + limit >= len(order)
    return RunPage(
        runs=tuple(listing.summaries(database, [run_id for _, run_id in shown])),
        total=total,
        next=None if is_last or not shown else _place(*shown[-1]),
    )


def _first_after(order: Sequence[tuple[float | None, UUID]], place: Place, descending: bool) -> int:
    """Index of the first row after a place; the place itself may be gone, or have another score by now."""
    try:
        there = None if place.value is None else float(place.value)
    except ValueError:
        raise InputError(f"cursor: {place.value!r} is no score. Leave it out to get the first page.") from None

    def is_after(row: tuple[float | None, UUID]) -> bool:
        value, run_id = row
        if value is None or there is None:
            is_same = value is there
            return value is None and (not is_same or (run_id < place.id if descending else run_id > place.id))
        return (value, run_id) < (there, place.id) if descending else (value, run_id) > (there, place.id)

    return next((at for at, row in enumerate(order) if is_after(row)), len(order))


def _place(value: float | None, run_id: UUID) -> Place:
    return Place(value=None if value is None else repr(value), id=run_id, as_of=None)
