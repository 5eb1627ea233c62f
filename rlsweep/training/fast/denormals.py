"""Numbers too small for the processor's fast paths."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def denormals_as_zero() -> Iterator[None]:
    """Let this thread's processor take numbers below the smallest normal one (1e-38 in float32) for zero.

    Adam's first moment of an action's row decays by a tenth with every step at which the action is not legal, and after
    some eight hundred is such a number, on which arithmetic takes many times as long: with 36,400 actions an update
    took twice the time. What becomes of the row is the same: its step has long been nothing beside the weight.
    """
    is_set_already = float(torch.tensor(1e-40) * 1) == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(is_set_already)
