"""The service's own side of its requests: its lock, its card, and the thread that takes requests."""

import json
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener, answer_challenge, deliver_challenge
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

from rlsweep.errors import InputError, RlsweepError
from rlsweep.locks import open_lock_file, try_lock
from rlsweep.paths import SERVICE_LOCK
from rlsweep.places.service import CARD_FILE, Request, ServiceCard, host_elsewhere

TOKEN_FILE = "ray-token"


@contextmanager
def service_lock(folder: Path) -> Iterator[None]:
    """Hold the folder as its service. Raises InputError where another one does."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = open_lock_file(folder / SERVICE_LOCK)
    if not _take_lock(descriptor):
        os.close(descriptor)
        host = host_elsewhere(folder)
        where = ":" if host is None else f" on {host}, which shares this RLSWEEP_HOME. There"
        raise InputError(f"The service is up already{where} `rlsweep status` shows it, `rlsweep down` ends it.")
    try:
        (folder / CARD_FILE).unlink(missing_ok=True)
        yield
    finally:
        (folder / CARD_FILE).unlink(missing_ok=True)
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
    path = folder / TOKEN_FILE
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
        _write_private(folder / CARD_FILE, json.dumps(asdict(card) | {"since": card.since.isoformat()}))
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
            self._take(Request.from_message(request))
        except RlsweepError as error:
            return str(error)
        return None


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, all of it at once."""
    temporary = path.with_suffix(".tmp")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    temporary.rename(path)
