"""A stop flag on Ray's side, for when the database is away: one key in the cluster's own key-value store."""

from dataclasses import dataclass
from uuid import UUID

from ray.experimental import internal_kv

_NAMESPACE = b"rlsweep"


@dataclass(frozen=True, slots=True)
class StopFlag:
    """Asks all trials of a sweep to stop; works in the driver and in its workers. A look costs less than 1 ms."""

    sweep_id: UUID

    def raise_(self) -> None:
        """Ask them."""
        internal_kv._internal_kv_put(self._key, b"1", namespace=_NAMESPACE)

    def lower(self) -> None:
        """Forget it."""
        internal_kv._internal_kv_del(self._key, namespace=_NAMESPACE)

    def is_raised(self) -> bool:
        """Whether they are asked."""
        return internal_kv._internal_kv_get(self._key, namespace=_NAMESPACE) is not None

    @property
    def _key(self) -> bytes:
        return f"stop-{self.sweep_id}".encode()
