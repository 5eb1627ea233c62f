"""Which of a sweep's runs a driver runs."""

from dataclasses import dataclass

from rlsweep.runs import RunStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSelection:
    """The runs of a sweep that a driver runs; it does not change the others. Paused runs are only scheduled one by one.

    statuses: the statuses of the selected runs
    from_start: whether they start from the beginning instead of their last checkpoints
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
"""By name; a driver on another machine gets the name."""


def name_of(selection: RunSelection) -> str:
    """The name of a selection in `SELECTIONS`."""
    return next(name for name, known in SELECTIONS.items() if known == selection)
