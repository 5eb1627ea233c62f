"""Signal handlers of the processes that this one forks: its own handlers are about its own work.

A child that kept them could not be ended: `multiprocessing.Pool.terminate` sends one SIGTERM and waits for ever.
"""

import os
import signal
import threading
from collections.abc import Mapping
from typing import Any

DEFAULT = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
"""Python's own handlers."""

_handlers: dict[signal.Signals, Any] = {}
_forking = threading.local()


def set_in_children(handlers: Mapping[signal.Signals, Any]) -> None:
    """From now on, children that are forked get these handlers, as `signal.getsignal` gives them."""
    _handlers.update(handlers)


def keep_in_children(numbers: set[signal.Signals]) -> None:
    """From now on, children that are forked keep this process's handlers of these signals, as usual."""
    for number in numbers:
        _handlers.pop(number, None)


def handlers_of_children() -> Mapping[signal.Signals, Any]:
    """The handlers that children get instead of this process's own."""
    return dict(_handlers)


def _hold() -> None:
    """Hold signals back until the child has its handlers: a signal that comes before would be lost."""
    _forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, _handlers)


def _release() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _forking.mask)


def _release_child() -> None:
    for number, handler in _handlers.items():
        signal.signal(number, handler)
    _handlers.clear()
    _release()


os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=_release_child)
