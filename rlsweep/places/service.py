"""The service of `rlsweep up`, seen from both sides: who it is, whether it lives, and what it is asked to do.

A lock on a file says that it lives, and the kernel drops that when it ends, however it ends. A request is one message
over loopback, behind a key that only the owner of RLSWEEP_HOME can read, and one in answer. Nothing depends on the
service: a sweep is on record before the service hears of it, and any other driver can go on with it.
"""

import json
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener, answer_challenge, deliver_challenge
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

from rlsweep.driver.selection import SELECTIONS, RunSelection, name_of
from rlsweep.errors import InputError, RlsweepError
from rlsweep.locks import is_locked, try_lock

ANSWER_SECONDS = 60.0
"""How long the service may take to say whether it takes a sweep."""

_LOCK = "lock"
_CARD = "service.json"
_TOKEN = "ray-token"


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceCard:
    """How a running service is known and reached; a file of its owner's alone.

    host, pid: where it runs; RLSWEEP_HOME may lie in a folder that several hosts share
    port, key: of the requests
    resources: what its Ray has of each kind
    """

    host: str
    pid: int
    port: int
    key: str
    resources: dict[str, float]
    page_url: str
    dashboard_url: str
    token_file: str
    since: datetime

    @property
    def is_here(self) -> bool:
        """Whether it runs on this host."""
        return self.host == socket.gethostname()

    @property
    def as_shown(self) -> dict[str, Any]:
        """What anybody may see of it."""
        shown = asdict(self)
        del shown["key"]
        return shown


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """To drive a sweep that is on record.

    grace_seconds: what a trial may take to end once it was asked to
    command, folder: what the user typed, and where
    """

    sweep_id: UUID
    selection: RunSelection
    grace_seconds: float
    command: str
    folder: Path


def find_service(folder: Path) -> ServiceCard | None:
    """The service that keeps this folder, if one is up and ready on this host."""
    card = _read_card(folder)
    return card if card is not None and card.is_here else None


def host_elsewhere(folder: Path) -> str | None:
    """The host whose service keeps this folder, where that is another one than this."""
    card = _read_card(folder)
    return card.host if card is not None and not card.is_here else None


def is_up(folder: Path) -> bool:
    """Whether a service holds the folder, perhaps not ready yet, perhaps on another host."""
    try:
        return is_locked(folder / _LOCK)
    except (FileNotFoundError, PermissionError):
        return False


def _read_card(folder: Path) -> ServiceCard | None:
    if not is_up(folder):
        return None
    try:
        card = json.loads((folder / _CARD).read_text())
    except FileNotFoundError:
        return None  # it is just starting, or ending
    return ServiceCard(**card | {"since": datetime.fromisoformat(card["since"])})


def ask(card: ServiceCard, request: Request) -> None:
    """Have the service drive a sweep. Raises RlsweepError where it cannot be asked, or says no."""
    message = {
        "sweep_id": str(request.sweep_id),
        "selection": name_of(request.selection),
        "grace_seconds": request.grace_seconds,
        "command": request.command,
        "folder": str(request.folder),
    }
    answer = _exchange(card, message)
    if answer is not None:
        raise RlsweepError(f"The service does not take the sweep: {answer}")


def sweeps_driven_by(card: ServiceCard) -> dict[UUID, str]:
    """What sweeps the service drives, by id, with their names. Raises RlsweepError where it cannot be asked."""
    answer: dict[str, str] = _exchange(card, {"driven": True})
    return {UUID(sweep_id): name for sweep_id, name in answer.items()}


def ask_to_end(card: ServiceCard) -> None:
    """Have the service stop its sweeps and end; to ask again changes nothing.

    Raises RlsweepError where it cannot be asked.
    """
    _exchange(card, {"end": True})


def has_ended(card: ServiceCard, folder: Path) -> bool:
    """Whether that service is over, by its lock: the process may stay on the kernel's list for long."""
    if not is_up(folder):
        return True
    now = find_service(folder)
    return now is not None and now.key != card.key


def _exchange(card: ServiceCard, message: dict[str, Any]) -> Any:
    try:
        with Client(("127.0.0.1", card.port)) as connection:
            _wait_for_word(connection)  # one that is frozen takes connections all the same
            answer_challenge(connection, card.key.encode())
            deliver_challenge(connection, card.key.encode())
            connection.send_bytes(json.dumps(message).encode())
            _wait_for_word(connection)
            return json.loads(connection.recv_bytes())
    except (OSError, EOFError, AuthenticationError) as error:
        raise RlsweepError(f"The service (process {card.pid}) does not answer: {error}") from error


def _wait_for_word(connection: Connection) -> None:
    if not connection.poll(ANSWER_SECONDS):
        raise TimeoutError(f"nothing for {ANSWER_SECONDS:.0f} s")


@contextmanager
def service_lock(folder: Path) -> Iterator[None]:
    """Hold the folder as its service. Raises InputError where another one does."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    if not _take_lock(descriptor):
        os.close(descriptor)
        host = host_elsewhere(folder)
        where = ":" if host is None else f" on {host}, which shares this RLSWEEP_HOME. There"
        raise InputError(f"The service is up already{where} `rlsweep status` shows it, `rlsweep down` ends it.")
    try:
        (folder / _CARD).unlink(missing_ok=True)
        yield
    finally:
        (folder / _CARD).unlink(missing_ok=True)
        os.close(descriptor)


def _take_lock(descriptor: int) -> bool:
    """Take the lock, unless a service has it: who merely looks holds it for a moment."""
    for _ in range(20):
        if try_lock(descriptor):
            return True
        time.sleep(0.05)
    return False


def ray_token(folder: Path) -> tuple[str, Path]:
    """The token of the service's Ray, the same at every start, and the file that holds it."""
    path = folder / _TOKEN
    if not path.exists():
        _write_private(path, secrets.token_hex(32))
    return path.read_text().strip(), path


class RequestServer:
    """Where requests come in: a thread takes one after the other and hands it to `take`."""

    def __init__(
        self, take: Callable[[Request], None], driven: Callable[[], dict[UUID, str]], end: Callable[[], None]
    ) -> None:
        """`take` may raise RlsweepError, which is told to whoever asked.

        driven: what is driven now, with its names
        end: begins to stop what is driven, and then the service
        """
        self._take = take
        self._driven = driven
        self._end = end
        self._key = secrets.token_hex(32)
        self._listener = Listener(("127.0.0.1", 0))

    def open(
        self, folder: Path, *, resources: dict[str, float], page_url: str, dashboard_url: str, token_file: Path
    ) -> ServiceCard:
        """Take requests from now on, and let the folder tell who it is that does."""
        card = ServiceCard(
            host=socket.gethostname(),
            pid=os.getpid(),
            port=self._listener.address[1],
            key=self._key,
            resources=resources,
            page_url=page_url,
            dashboard_url=dashboard_url,
            token_file=str(token_file),
            since=datetime.now(UTC),
        )
        Thread(target=self._serve, name="requests", daemon=True).start()
        _write_private(folder / _CARD, json.dumps(asdict(card) | {"since": card.since.isoformat()}))
        return card

    def _serve(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except OSError:  # whoever it was has left
                continue
            # who says nothing keeps nobody else waiting
            Thread(target=self._serve_one, args=(connection,), name="request", daemon=True).start()

    def _serve_one(self, connection: Connection) -> None:
        # Whoever has not the key, or leaves in the middle, is not our trouble.
        with suppress(OSError, EOFError, AuthenticationError), connection:
            deliver_challenge(connection, self._key.encode())
            answer_challenge(connection, self._key.encode())
            request = json.loads(connection.recv_bytes())
            connection.send_bytes(json.dumps(self._answer(request)).encode())

    def _answer(self, request: dict[str, Any]) -> str | dict[str, str] | None:
        if "driven" in request:
            return {str(sweep_id): name for sweep_id, name in self._driven().items()}
        if "end" in request:
            self._end()
            return None
        try:
            self._take(
                Request(
                    sweep_id=UUID(request["sweep_id"]),
                    selection=SELECTIONS[request["selection"]],
                    grace_seconds=float(request["grace_seconds"]),
                    command=request["command"],
                    folder=Path(request["folder"]),
                )
            )
        except RlsweepError as error:
            return str(error)
        return None


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, all of it at once."""
    temporary = path.with_suffix(".tmp")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    temporary.rename(path)
