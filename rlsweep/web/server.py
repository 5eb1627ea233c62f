"""The server under Training History: it starts, says where it is, looks after its database, and ends on Ctrl-C."""

import errno
import ipaddress
import re
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress

import psutil
import uvicorn
from fastapi import FastAPI

from rlsweep.errors import InputError, SchemaError, UnreachableError
from rlsweep.settings import Settings
from rlsweep.store.database import Database
from rlsweep.store.opening import open_database
from rlsweep.web.app import create_app

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

_TOKEN = re.compile(r"[A-Za-z0-9._~-]{8,}")

EVERY_ADDRESS = ("0.0.0.0", "::")

MOST_ADDRESS_BYTES = 65_536
"""An address may name five hundred runs, at some 40 bytes each."""

LOOK_AFTER_S = 3.0
"""Between two looks at the database."""


def serve(
    settings: Settings, *, host: str, port: int, names: Collection[str], token: str | None, say: Callable[[str], None]
) -> None:
    """Serve until Ctrl-C or a signal to end, and `say` where, and how it goes.

    names: what else it may be asked as, behind a proxy of the user's

    What others may reach, by an address or by such a name, needs a token; one is made where none is given. Raises
    InputError where the port is taken, the address is none of this machine's, or the token is none.
    """
    if token is not None and not _TOKEN.fullmatch(token):
        raise InputError("--token: write at least 8 letters, digits and any of - . _ ~, as they stand in an address.")
    with _listening(host, port) as listener, _database(settings, say) as database:
        if token is None and (names or not is_loopback(listener.getsockname()[0])):
            token = secrets.token_urlsafe(24)
        app = create_app(database, allowed_hosts={*LOOPBACK, *_names_of(host), *names}, token=token)
        say(_where(host, listener.getsockname()[1], token))
        # Uvicorn ends as asked and then passes the signal on, which would end this process before the database's turn.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(http_config(app)).run(sockets=[listener])


def http_config(app: FastAPI) -> uvicorn.Config:
    """How uvicorn serves the application."""
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # it would write the token of an address down
        server_header=False,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=MOST_ADDRESS_BYTES,
    )


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach that address; a name is none."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)
        except OSError as exc:
            raise InputError(_refused(host, port, exc)) from exc
        yield listener


def _refused(host: str, port: int, exc: OSError) -> str:
    if exc.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is taken on {host}, perhaps by another rlsweep serve. Choose another one: --port {port + 1}"
        )
    if exc.errno == errno.EACCES:
        return f"Port {port} needs rights that you do not have. Choose one from 1024 on: --port 5173"
    reason = exc.strerror or str(exc)
    return f"Cannot listen on {host} port {port}: {reason}. Give an address of this machine: --host 127.0.0.1"


@contextmanager
def _database(settings: Settings, say: Callable[[str], None]) -> Iterator[Database]:
    """The database, looked after while the context lasts; a server of the user's own need not be there yet."""
    with _opened(settings, say) as database:
        done = threading.Event()
        thread = threading.Thread(target=_look_after, args=(settings, done), name="database", daemon=True)
        thread.start()
        try:
            yield database
        finally:
            done.set()
            thread.join()


@contextmanager
def _opened(settings: Settings, say: Callable[[str], None]) -> Iterator[Database]:
    if settings.database_url is None:
        with open_database(settings) as database:
            yield database
        return
    try:
        with open_database(settings):
            pass
    except UnreachableError as exc:
        if not Database(settings.database_url).is_named:
            raise
        say(f"{exc}\nThe pages say so too, and show the runs as soon as it answers.")
    yield Database(settings.database_url)


def _look_after(settings: Settings, done: threading.Event) -> None:
    """Start the embedded server again if it died, and bring a database that has come back up to this version."""
    while not done.wait(LOOK_AFTER_S):
        with suppress(UnreachableError, SchemaError), open_database(settings):
            pass


def _names_of(host: str) -> set[str]:
    """What a browser may call this server, beside the names of the machine itself."""
    if host in EVERY_ADDRESS:
        return {socket.gethostname().lower(), socket.getfqdn().lower(), *_addresses()}
    return {f"[{host}]" if ":" in host else host.lower()}


def _addresses() -> set[str]:
    """The addresses of this machine."""
    found = set()
    for addresses in psutil.net_if_addrs().values():
        for address in addresses:
            if address.family == socket.AF_INET:
                found.add(address.address)
            elif address.family == socket.AF_INET6:
                found.add(f"[{address.address.partition('%')[0]}]")
    return found


def _where(host: str, port: int, token: str | None) -> str:
    """What to open in a browser."""
    shown = "localhost" if host == "127.0.0.1" else socket.gethostname() if host in EVERY_ADDRESS else host
    shown = f"[{shown}]" if ":" in shown else shown
    query = "" if token is None else f"?token={token}"
    return f"Training History: http://{shown}:{port}/training{query}\nCtrl-C ends it."
