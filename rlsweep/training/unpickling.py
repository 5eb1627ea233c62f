"""Reads the pickles in checkpoints, including those that name classes by their modules of older versions."""

import io
import pickle
from typing import Any

_MOVED = {
    ("rlsweep.training.boundary", "_State"): ("rlsweep.training.snapshot", "_State"),
}
"""Module and name of each class as checkpoints have them, and as they are now. A class that moves gets a line."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return super().find_class(*_MOVED.get((module, name), (module, name)))


def unpickle(saved: bytes) -> Any:
    """The object in a pickle of ours; a pickle in its bytes needs a call of its own.

    A pickle can run any code: call it only for files that are trusted. Raises what unpickling raises.
    """
    return _Unpickler(io.BytesIO(saved)).load()
