"""Reading of many runs by a few connections at once, to use several cores."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import UUID

CONNECTIONS = 4
"""Connections that read for one request in parallel: a few cores, and few enough for any server."""

Found = TypeVar("Found")


def side_by_side(runs: int, read: Callable[[slice], dict[UUID, Found]], most: int = CONNECTIONS) -> dict[UUID, Found]:
    """What `read` gives for so many runs, each of whose parts is read by a thread of its own. most: threads."""
    count = min(CONNECTIONS, most, runs)
    if count <= 1:
        return read(slice(None))
    parts = [slice(first, None, count) for first in range(count)]
    with ThreadPoolExecutor(count) as pool:
        return {run_id: each for found in pool.map(read, parts) for run_id, each in found.items()}
