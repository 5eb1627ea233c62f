"""Retry calls while the database is unreachable."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from rlsweep.errors import StoreUnavailableError

RETRY_SECONDS = 1.0

_RANDOM = random.Random()
"""A separate random generator: the global ones belong to training."""

Result = TypeVar("Result")


def retry_while_away(
    call: Callable[[], Result], *, seconds: float, until: Callable[[], bool] = lambda: False
) -> Result:
    """Repeat the call until the database answers; after `seconds`, or if `until()`, raise StoreUnavailableError."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return call()
        except StoreUnavailableError:
            if time.monotonic() >= deadline or until():
                raise
            time.sleep(jittered(RETRY_SECONDS))


def jittered(seconds: float) -> float:
    """`seconds` with a random deviation, so that processes that failed together do not retry together."""
    return seconds * _RANDOM.uniform(0.75, 1.25)
