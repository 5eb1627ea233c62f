"""Waiting for a database that is away."""

import time
from collections.abc import Callable
from typing import TypeVar

from rlsweep.errors import StoreUnavailableError

RETRY_SECONDS = 1.0

Result = TypeVar("Result")


def patiently(call: Callable[[], Result], *, seconds: float) -> Result:
    """Call until the database answers; after `seconds` in vain the last StoreUnavailableError is raised."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return call()
        except StoreUnavailableError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(RETRY_SECONDS)
