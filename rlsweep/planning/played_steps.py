"""How many env steps of an environment were played while it is measured, and how fast."""

import time
from collections.abc import Callable

TELL_SECONDS = 1.0


class PlayedSteps:
    """Counts the env steps that were played, and tells them with the seconds that they took, about once a second."""

    def __init__(self, tell: Callable[[int, float], None] | None) -> None:
        self._tell = tell
        self._steps = 0
        self._began = self._told = time.perf_counter()

    def add(self, steps: int) -> None:
        """Count env steps that have just been played."""
        self._steps += steps
        if (now := time.perf_counter()) - self._told >= TELL_SECONDS:
            self._told = now
            if self._tell is not None:
                self._tell(self._steps, now - self._began)

    def leave_out(self, seconds: float) -> None:
        """Do not count seconds in which the policy was updated."""
        self._began += seconds
