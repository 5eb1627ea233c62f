"""Read the pickles in checkpoints, including those of older versions, in which classes had other modules."""

import io
import pickle
from typing import Any

_MOVED = {
    ("rlsweep.training.boundary", "_State"): ("rlsweep.training.snapshot", "_State"),
}
"""(module, name) of a class in old checkpoints → its current (module, name). Add an entry when a class moves."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return super().find_class(*_MOVED.get((module, name), (module, name)))


def unpickle(saved: bytes) -> Any:
    """Return the object of a pickle that rlsweep wrote; a pickle nested in its bytes needs another call.

    A pickle can run any code: call this only for trusted files. Raises any error of unpickling.
    """
    return _Unpickler(io.BytesIO(saved)).load()
