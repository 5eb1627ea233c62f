"""Compile loops with numba; sums that several loops use.

The modules with compiled loops are categorical_loops.py, gaussian.py, loss.py, advantages.py and optimizer_step.py.
Their arrays are C-contiguous; floats are float32 or float64, one dtype in a call.

numba renews the machine code that it keeps on disk when the file of a function changes, but not when that of a function
that it calls does: after a change to the sums below, delete `__pycache__`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])
Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int32]

# Sums may be reordered, so that they fill vector registers; NaN and infinity keep their meaning.
_compile: Any = partial(numba.njit, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")


def compiled(function: Function, **options: bool) -> Function:
    """Compile at the first call for each dtype; the machine code is cached on disk for the next process."""
    try:
        return cast(Function, _compile(cache=True, **options)(function))
    except RuntimeError:  # no writable cache folder: compile in every process
        return cast(Function, _compile(**options)(function))


def inlined(function: Function) -> Function:
    """Compile a function that only compiled ones call, into each of them.

    A call between them would go to whichever copy the process has loaded first, and copies add up in different orders:
    the process that compiles would compute other last bits than those that load from disk.
    """
    return compiled(function, forceinline=True)


@inlined
def dot(a: Floats, b: Floats) -> np.floating[Any]:
    """The sum of a[i] b[i]."""
    total = a.dtype.type(0)
    for index in range(a.size):
        total += a[index] * b[index]
    return total


@inlined
def add_scaled(target: Floats, scale: float, source: Floats) -> None:
    """Target += scale × source, in place."""
    for index in range(target.size):
        target[index] += scale * source[index]


@inlined
def log_softmax(logits: Floats) -> None:
    """In place: z - log(sum(exp(z)))."""
    top = logits.max()
    total = logits.dtype.type(0)
    for index in range(logits.size):
        total += np.exp(logits[index] - top)
    norm = top + np.log(total)
    for index in range(logits.size):
        logits[index] -= norm
