"""SIGINT and SIGTERM: the first asks to stop, the second ends at once. Forked children get the handlers from before."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_replaced: dict[signal.Signals, Any] = {}
"""The handlers that `on_interrupt` has replaced, as `signal.getsignal` gives them, while its context lasts."""


@contextmanager
def on_interrupt(ask: Callable[[], None]) -> Iterator[threading.Event]:
    """Call `ask` at the first signal and raise KeyboardInterrupt at the second.

    Yields an event that is set once a signal came. Python hands signals to the main thread alone: in any other thread
    nothing changes.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def handle(_number: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        ask()

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    outermost = before.keys() - _replaced.keys()
    _replaced.update({number: before[number] for number in outermost})
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in outermost:
            del _replaced[number]


def _restore_in_child() -> None:
    """A child that kept the handler could not be ended: `Pool.terminate` sends one SIGTERM and waits for ever."""
    for number, handler in _replaced.items():
        signal.signal(number, handler)
    _replaced.clear()


os.register_at_fork(after_in_child=_restore_in_child)
