"""Which of a sweep's runs a driver takes up."""

from dataclasses import dataclass

from rlsweep.runs import RunStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """What of its sweep a driver runs; it leaves all else as it is.

    statuses: those that its runs have before
    from_start: whether they begin anew instead of going on from their last checkpoints
    """

    statuses: frozenset[RunStatus]
    from_start: bool = False


PLANNED = Share(statuses=frozenset({RunStatus.PENDING}))
UNFINISHED = Share(statuses=frozenset({RunStatus.PENDING, RunStatus.RUNNING, RunStatus.STOPPED}))
FAILED = Share(statuses=frozenset({RunStatus.FAILED}))
FAILED_FROM_START = Share(statuses=frozenset({RunStatus.FAILED}), from_start=True)

SHARES = {
    "planned": PLANNED,
    "unfinished": UNFINISHED,
    "failed": FAILED,
    "failed-from-start": FAILED_FROM_START,
}
"""By the names that travel to a driver elsewhere."""


def name_of(share: Share) -> str:
    """The name that `SHARES` knows it by."""
    return next(name for name, known in SHARES.items() if known == share)
