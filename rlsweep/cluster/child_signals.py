"""Signals in the children of Ray's workers."""

import os
import signal
from functools import cache


@cache
def use_default_signals_in_children() -> None:
    """From now on, a process that this one forks has Python's own handlers of SIGINT and SIGTERM.

    Ray's handler of SIGTERM is for its worker; an environment's child that has it raises SystemExit instead of ending.
    """
    os.register_at_fork(after_in_child=_use_default_signals)


def _use_default_signals() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
