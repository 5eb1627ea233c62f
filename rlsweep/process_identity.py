"""Names of processes by which another process on the same host can tell that one is gone.

A name is `HOST:PID:PLACE.START`, perhaps with `.ANYTHING` behind it. PLACE stands for this boot of the kernel and the
PID namespace, START for when the process began: containers share host names and process ids, and ids are used again.
"""

import hashlib
import os
import re
import socket
import sys
from functools import cache
from pathlib import Path

_NAME = re.compile(r"(?P<host>.+):(?P<pid>\d+):(?P<place>[0-9a-f]{8})\.(?P<start>\d+)(\..*)?")


def own_process() -> str:
    """The name of this process; only its host and id where the system does not tell the rest."""
    short = f"{socket.gethostname()}:{os.getpid()}"
    place, start = _place(), _start(os.getpid())
    return short if place is None or start is None else f"{short}:{place}.{start}"


def is_here(process: str | None) -> bool:
    """Whether a name is that of a process which this one could see; False for None and for other texts."""
    named = _NAME.fullmatch(process or "")
    return named is not None and named["place"] == _place()


def is_gone(process: str | None) -> bool:
    """Whether the process has ended, for certain; False if it is not here."""
    named = _NAME.fullmatch(process or "")
    if named is None or named["place"] != _place():
        return False
    pid = int(named["pid"])
    return _start(pid) != int(named["start"]) and not _is_hidden(pid)


def describe_process(process: str) -> str:
    """A name for people: `process 123 on HOST`. Another text stays as it is."""
    named = _NAME.fullmatch(process)
    return process if named is None else f"process {named['pid']} on {named['host']}"


@cache
def _place() -> str | None:
    """A digest of this boot and the PID namespace; None if the system does not tell them."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text() + os.readlink("/proc/self/ns/pid")
    except OSError:
        return None
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _start(pid: int) -> int | None:
    """When the process began, in clock ticks since the boot; None if it is gone, or only its exit code is left."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()  # a command's name may have spaces
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in ("Z", "X") else int(fields[19])


def _is_hidden(pid: int) -> bool:
    """Whether a process of another user exists of which /proc shows nothing, as its option hidepid has it."""
    if Path(f"/proc/{pid}").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
