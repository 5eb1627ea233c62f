"""Waiting for a database that is away."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from rlsweep.errors import StoreUnavailableError

RETRY_SECONDS = 1.0

_RANDOM = random.Random()
"""Our own: a run's global generators are its alone."""

Result = TypeVar("Result")


def retry_while_away(
    call: Callable[[], Result], *, seconds: float, until: Callable[[], bool] = lambda: False
) -> Result:
    """Call until the database answers; after `seconds` in vain, or once `until()`, StoreUnavailableError is raised."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return call()
        except StoreUnavailableError:
            if time.monotonic() >= deadline or until():
                raise
            time.sleep(jittered(RETRY_SECONDS))


def jittered(seconds: float) -> float:
    """About so many, so that those who were refused together do not come back together."""
    return seconds * _RANDOM.uniform(0.75, 1.25)
