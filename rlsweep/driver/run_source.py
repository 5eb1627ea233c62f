"""Which run is trained next: the interface between what decides that and Ray Tune."""

from collections import deque
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

RESTARTS = 3
"""How often a trial whose process died is restarted. A trial's own error never reaches Tune."""


class RunSource(Protocol):
    """Gives runs one by one. Tune's thread calls it whenever a slot is free, every 0.1 to 1 s."""

    @property
    def is_exhausted(self) -> bool:
        """Whether it gives no further run."""
        ...

    def take(self) -> UUID | None:
        """The next run to train; None if there is none now."""
        ...

    def has_ended(self, run_id: UUID) -> None:
        """Note that a run that it gave is trained no longer, whatever the reason."""
        ...


class PlannedRuns:
    """Gives runs in the order of a plan."""

    def __init__(self, run_ids: Sequence[UUID]) -> None:
        self._waiting = deque(run_ids)

    @property
    def is_exhausted(self) -> bool:
        """Whether all runs were given."""
        return not self._waiting

    def take(self) -> UUID | None:
        """The next run."""
        return self._waiting.popleft() if self._waiting else None

    def has_ended(self, run_id: UUID) -> None:
        """Nothing depends on it."""
