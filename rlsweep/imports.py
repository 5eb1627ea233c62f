"""Imports that a process keeps to its end, out of the garbage collector's way.

Torch, Ray and what they import make half a million objects, and the collector looks at all of them again and again:
a third of the CPU time of a process that imports them and computes for a second. All of this is for processes that
rlsweep starts: in a user's own process, garbage that existed before would never be freed.
"""

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting_imports() -> Iterator[None]:
    """Collect no garbage in the context; later collections leave out every object that exists at its end."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def import_to_stay(module: str) -> None:
    """Import a module, and what it imports, as lasting imports; do nothing if it is imported already."""
    if module not in sys.modules:
        with lasting_imports():
            importlib.import_module(module)


def end_without_collection() -> None:
    """Leave all objects out of the collection at the end of this process; the kernel frees their memory anyway."""
    gc.freeze()
