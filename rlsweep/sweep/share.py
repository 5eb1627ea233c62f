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
