"""A stop flag in the Ray cluster's key-value store, for the time when the database is unreachable."""

from dataclasses import dataclass
from uuid import UUID

from rlsweep.cluster.ray_internals import delete_key, has_key, set_key


@dataclass(frozen=True, slots=True)
class StopFlag:
    """Requests all trials of a sweep to stop; works in the driver and its workers. A check takes less than 1 ms."""

    sweep_id: UUID

    def raise_(self) -> None:
        """Request the stop."""
        set_key(self._key)

    def lower(self) -> None:
        """Remove the flag."""
        delete_key(self._key)

    def is_raised(self) -> bool:
        """Whether a stop is requested."""
        return has_key(self._key)

    @property
    def _key(self) -> str:
        return f"stop-{self.sweep_id}"
