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


def leave_to_the_kernel() -> None:
    """Leave every object that exists now out of all later collections, such as the one at the end of a process."""
    gc.freeze()


@contextmanager
def lasting_imports() -> Iterator[None]:
    """Collect no garbage in the context; later collections leave out every object that exists at its end."""
    gc.disable()
    try:
        yield
    finally:
        leave_to_the_kernel()
        gc.enable()


@contextmanager
def left_out(*modules: str) -> Iterator[None]:
    """In the context, modules cannot be imported, so that packages do without them; afterwards they can.

    Modules that are imported already stay.
    """
    absent = [module for module in modules if module not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # importing None raises ModuleNotFoundError
    try:
        yield
    finally:
        for module in absent:
            del sys.modules[module]


def import_to_stay(module: str) -> None:
    """Import a module, and what it imports, as lasting imports; do nothing if it is imported already."""
    if module not in sys.modules:
        with lasting_imports():
            importlib.import_module(module)
