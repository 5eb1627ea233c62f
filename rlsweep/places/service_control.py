"""Starting the service of `rlsweep up` in the background, and ending it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path

from rlsweep.errors import InputError, RlsweepError
from rlsweep.places.service import (
    ServiceCard,
    ask_to_end,
    find_service,
    has_ended,
    host_elsewhere,
    is_up,
    sweeps_driven_by,
)

START_SECONDS = 240.0
"""How long everything may take to start on a busy machine; 8 s are usual."""

KILL_SECONDS = 20.0
"""How long the service may take to end once its sweeps have."""

POLL_SECONDS = 0.1
"""Between two looks at a service that starts or ends."""


class ServiceEnd(Enum):
    """What became of a service that was to end."""

    WAS_NOT_UP = auto()
    STARTING = auto()
    ENDED = auto()
    KILLED = auto()


def start_service(
    folder: Path, environ: Mapping[str, str], *, page_port: int, dashboard_port: int, cpus: int | None
) -> ServiceCard:
    """Start a service that outlives this process, and wait until it is ready.

    Raises InputError for what it was given, RlsweepError where it is not ready in time.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    arguments = ["up", "--foreground", "--port", str(page_port), "--dashboard-port", str(dashboard_port)]
    arguments += [] if cpus is None else ["--cpus", str(cpus)]
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "rlsweep", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environ),
            start_new_session=True,  # it goes on when the terminal is closed
        )
    return _wait_for(process, folder, log)


def end_service(folder: Path, *, grace: float, on_stopping: Callable[[Sequence[str]], None]) -> ServiceEnd:
    """End the service of this host and wait until it has ended; one that does not end in time is killed.

    grace: seconds that its trials may take to stop; on_stopping: told the names of the sweeps that it drives, if any
    Raises InputError where the service runs on another host.
    """
    card = find_service(folder)
    if card is None:
        if (host := host_elsewhere(folder)) is not None:
            raise InputError(f"The service is up on {host}, which shares this RLSWEEP_HOME: end it there.")
        return ServiceEnd.STARTING if is_up(folder) else ServiceEnd.WAS_NOT_UP
    try:
        if running := sorted(sweeps_driven_by(card).values()):
            on_stopping(running)
        ask_to_end(card)
    except RlsweepError:  # it gives no answer
        with suppress(ProcessLookupError):
            os.kill(card.pid, signal.SIGTERM)
    deadline = time.monotonic() + grace + KILL_SECONDS
    while not has_ended(card, folder):
        if time.monotonic() > deadline:
            _kill(card.pid)
            return ServiceEnd.KILLED
        time.sleep(POLL_SECONDS)
    return ServiceEnd.ENDED


def _wait_for(process: "subprocess.Popen[bytes]", folder: Path, log: Path) -> ServiceCard:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        card = find_service(folder)
        if card is not None and card.pid == process.pid:
            return card
        code = process.poll()
        if code is not None:
            text = log.read_text(errors="replace").strip()
            message = text.rpartition("Error: ")[2] or f"The service ended at once ({code}); see {log}."
            raise InputError(message) if code == InputError.exit_code else RlsweepError(message)
        time.sleep(POLL_SECONDS)
    process.send_signal(signal.SIGTERM)
    raise RlsweepError(f"The service was not ready within {START_SECONDS:.0f} s, and was ended; see {log}.")


def _kill(pid: int) -> None:
    """Kill a process and all below it."""
    import psutil

    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for each in (*process.children(recursive=True), process):
            each.kill()
