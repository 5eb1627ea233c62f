"""The service of `rlsweep up`, seen by its clients: who it is, whether it lives, and what it is asked to do.

A lock on a file says that it lives, and the kernel drops that when it ends, however it ends. A request is one message
over loopback, behind a key that only the owner of RLSWEEP_HOME can read, and one in answer. Nothing depends on the
service: a sweep is on record before the service hears of it, and any other driver can continue it.
"""

import json
import socket
from dataclasses import asdict, dataclass
from datetime import datetime
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Any
from uuid import UUID

from rlsweep.driver.selection import SELECTIONS, RunSelection, name_of
from rlsweep.errors import RlsweepError
from rlsweep.locks import is_held
from rlsweep.paths import SERVICE_LOCK

ANSWER_SECONDS = 60.0
"""How long the service may take to say whether it takes a sweep."""

CARD_FILE = "service.json"


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

    @classmethod
    def from_message(cls, message: dict[str, Any]) -> "Request":
        """As `as_message` wrote it."""
        return cls(
            sweep_id=UUID(message["sweep_id"]),
            selection=SELECTIONS[message["selection"]],
            grace_seconds=float(message["grace_seconds"]),
            command=message["command"],
            folder=Path(message["folder"]),
        )

    @property
    def as_message(self) -> dict[str, Any]:
        """As it travels, in JSON."""
        return {
            "sweep_id": str(self.sweep_id),
            "selection": name_of(self.selection),
            "grace_seconds": self.grace_seconds,
            "command": self.command,
            "folder": str(self.folder),
        }


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
    return is_held(folder / SERVICE_LOCK)


def _read_card(folder: Path) -> ServiceCard | None:
    if not is_up(folder):
        return None
    try:
        card = json.loads((folder / CARD_FILE).read_text())
    except FileNotFoundError:
        return None  # it is just starting, or ending
    return ServiceCard(**card | {"since": datetime.fromisoformat(card["since"])})


def ask(card: ServiceCard, request: Request) -> None:
    """Have the service drive a sweep. Raises RlsweepError where it cannot be asked, or says no."""
    answer = _exchange(card, request.as_message)
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
