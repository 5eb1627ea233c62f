"""Which of a sweep's runs a driver takes up."""

from dataclasses import dataclass

from rlsweep.runs import RunStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSelection:
    """What of its sweep a driver runs; it leaves all else as it is.

    statuses: those that its runs have before
    from_start: whether they begin anew instead of going on from their last checkpoints
    """

    statuses: frozenset[RunStatus]
    from_start: bool = False


PLANNED = RunSelection(statuses=frozenset({RunStatus.PENDING}))
UNFINISHED = RunSelection(statuses=frozenset({RunStatus.PENDING, RunStatus.RUNNING, RunStatus.STOPPED}))
FAILED = RunSelection(statuses=frozenset({RunStatus.FAILED}))
FAILED_FROM_START = RunSelection(statuses=frozenset({RunStatus.FAILED}), from_start=True)

SELECTIONS = {
    "planned": PLANNED,
    "unfinished": UNFINISHED,
    "failed": FAILED,
    "failed-from-start": FAILED_FROM_START,
}
"""By the names that travel to a driver elsewhere."""


def name_of(selection: RunSelection) -> str:
    """The name that `SELECTIONS` knows it by."""
    return next(name for name, known in SELECTIONS.items() if known == selection)
