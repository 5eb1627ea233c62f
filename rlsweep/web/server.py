"""The server of Training History: it listens, prints its address, keeps its database running, and ends on Ctrl-C."""

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

ALL_INTERFACES = ("0.0.0.0", "::")

MAX_REQUEST_HEAD_BYTES = 65_536
"""A URL may name 500 runs, at about 40 bytes each."""

DATABASE_CHECK_SECONDS = 3.0
"""Time between two checks of the database."""


def serve(
    settings: Settings, *, host: str, port: int, names: Collection[str], token: str | None, say: Callable[[str], None]
) -> None:
    """Serve until Ctrl-C or SIGTERM; `say` prints the address and warnings.

    names: additional host names, used by the user's reverse proxy
    token: access token; generated if it is None and other machines can reach the address, or `names` are given

    Raises InputError if the port is taken, the address does not belong to this machine, or the token is malformed.
    """
    if token is not None and not _TOKEN.fullmatch(token):
        raise InputError("--token: use at least 8 characters, of letters, digits and - . _ ~ only.")
    with _listening(host, port) as listener, _database(settings, say) as database:
        if token is None and (names or not is_loopback(listener.getsockname()[0])):
            token = secrets.token_urlsafe(24)
        app = create_app(database, allowed_hosts={*LOOPBACK, *_names_of(host), *names}, token=token)
        say(_address_text(host, listener.getsockname()[1], token))
        # after it ends, uvicorn raises the signal again, which would end this process before the database is closed
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(http_config(app)).run(sockets=[listener])


def http_config(app: FastAPI) -> uvicorn.Config:
    """The uvicorn configuration of the application."""
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # the log would contain the token of ?token=…
        server_header=False,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=MAX_REQUEST_HEAD_BYTES,
    )


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach the address; False for a host name."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket; raises InputError if that fails."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)
        except OSError as exc:
            raise InputError(_listen_problem(host, port, exc)) from exc
        yield listener


def _listen_problem(host: str, port: int, exc: OSError) -> str:
    if exc.errno == errno.EADDRINUSE:
        return f"Port {port} is taken on {host}, perhaps by another rlsweep serve. Use another one: --port {port + 1}"
    if exc.errno == errno.EACCES:
        return f"You may not use port {port} without root rights. Use a port from 1024 on: --port 5173"
    reason = exc.strerror or str(exc)
    return f"Cannot listen on {host} port {port}: {reason}. Use an address of this machine: --host 127.0.0.1"


@contextmanager
def _database(settings: Settings, say: Callable[[str], None]) -> Iterator[Database]:
    """The database, checked periodically while the context lasts; an external one may still be unreachable."""
    with _opened(settings, say) as database:
        done = threading.Event()
        thread = threading.Thread(target=_check_database, args=(settings, done), name="database", daemon=True)
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
        say(f"{exc}\nThe pages show the runs as soon as it answers.")
    yield Database(settings.database_url)


def _check_database(settings: Settings, done: threading.Event) -> None:
    """Until `done`, restart an embedded server that died and migrate a database that became reachable."""
    while not done.wait(DATABASE_CHECK_SECONDS):
        with suppress(UnreachableError, SchemaError), open_database(settings):
            pass


def _names_of(host: str) -> set[str]:
    """Host names that a browser may use for this server, besides those of LOOPBACK."""
    if host in ALL_INTERFACES:
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


def _address_text(host: str, port: int, token: str | None) -> str:
    """The message with the URL to open in a browser."""
    shown = "localhost" if host == "127.0.0.1" else socket.gethostname() if host in ALL_INTERFACES else host
    shown = f"[{shown}]" if ":" in shown else shown
    query = "" if token is None else f"?token={token}"
    return f"Training History: http://{shown}:{port}/training{query}\nCtrl-C ends it."
