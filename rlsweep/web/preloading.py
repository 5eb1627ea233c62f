"""What panels compute with, imported in the background once somebody opens a page."""

import threading

from rlsweep.spaces.importance import preload


class Preloading:
    """Imports once, in a thread: scikit-learn takes half a second, for which the first panel would wait."""

    def __init__(self) -> None:
        self._begun = threading.Lock()

    def begin(self) -> None:
        """Begin unless it has begun; the server's start, and one that nobody visits, do without."""
        if self._begun.acquire(blocking=False):
            threading.Thread(target=preload, name="preloading", daemon=True).start()
