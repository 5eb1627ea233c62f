"""SIGINT and SIGTERM: the first asks to stop, the second ends at once. Forked children get the handlers from before."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rlsweep.child_signals import handlers_of_children, keep_in_children, set_in_children

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
    outermost = before.keys() - handlers_of_children().keys()
    set_in_children({number: before[number] for number in outermost})
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        keep_in_children(outermost)
