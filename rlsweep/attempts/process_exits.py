"""What a process that trains leaves behind when it ends in the middle of a run: its exit code, or the fatal signal.

Ray cannot tell them: it sees only that a connection was closed.
"""

import faulthandler
import logging
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn
from uuid import UUID

logger = logging.getLogger(__name__)

DEATH = "death"
"""The fact on a run's record that says how its process ended, if that was known before."""

_FAULT = re.compile(r"Fatal Python error: (?P<name>[^\n]+)")
_PLACE = re.compile(r'  File "(?P<file>[^"]+)", line (?P<line>\d+)')


@contextmanager
def report_exits(tell: Callable[[str], None]) -> Iterator[None]:
    """Call `tell` before `os._exit` ends this process, with the exit code and who called it, such as an environment.

    Forked children are not meant: they end by `os._exit`, as usual.
    """
    process, exit_at_once = os.getpid(), os._exit

    def tell_and_exit(status: int) -> NoReturn:
        if os.getpid() == process:
            caller = sys._getframe(1)
            tell(f"exit code {status}, by os._exit in {caller.f_code.co_filename}, line {caller.f_lineno}")
        exit_at_once(status)

    os._exit = tell_and_exit
    try:
        yield
    finally:
        os._exit = exit_at_once


def log_exit(cause: str) -> None:
    """Log that the environment ends this process, which nobody else can say; for `report_exits`."""
    logger.error("The environment ends this process with %s.", cause)


@contextmanager
def write_faults(file: Path) -> Iterator[None]:
    """Have Python write its stack into a file if a fatal signal such as SIGSEGV ends this process.

    The file is removed at the end of the context.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    was_enabled = faulthandler.is_enabled()
    with file.open("w") as stream:
        faulthandler.enable(stream, all_threads=False)
        try:
            yield
        finally:
            faulthandler.disable()
            if was_enabled:
                faulthandler.enable(all_threads=False)
            file.unlink(missing_ok=True)


def fault_file(spool: Path, run_id: UUID, attempt: int) -> Path:
    """The file of `write_faults` for an attempt of a run, on the machine that trains it."""
    return spool / f"{run_id}-{attempt}.fault"


def remove_faults(spool: Path, run_id: UUID) -> None:
    """Remove the files of a run's earlier attempts: a process that was killed leaves its own, which nobody reads."""
    for file in spool.glob(f"{run_id}-*.fault"):
        file.unlink(missing_ok=True)


def take_fault(file: Path) -> str | None:
    """The signal that the file tells of, with the innermost line of Python, and remove the file; None without one."""
    from rlsweep.envs.user_code import is_users_own  # not before a process has died: it imports Gymnasium

    try:
        text = file.read_text(errors="replace")
    except FileNotFoundError:
        return None
    file.unlink(missing_ok=True)
    found = _FAULT.search(text)
    if found is None:
        return None
    places = list(_PLACE.finditer(text))
    place = next((each for each in places if is_users_own(each["file"])), places[0] if places else None)
    where = "" if place is None else f", in {place['file']}, line {place['line']}"
    number = next((each for each in signal.Signals if signal.strsignal(each) == found["name"]), None)
    return f"signal {found['name'] if number is None else f'{number.value} ({number.name})'}{where}"
