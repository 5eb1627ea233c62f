"""Training History over real HTTP: the application in a thread of its own, on a port of its own."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import httpx
import pytest
import uvicorn

from rlsweep.store.database import Database
from rlsweep.web.app import create_app
from rlsweep.web.server import http_config

HOSTS = ("localhost", "127.0.0.1")


@contextmanager
def _serving(database: Database, token: str | None = None) -> Iterator[httpx.Client]:
    app = create_app(database, allowed_hosts=HOSTS, token=token)
    server = uvicorn.Server(http_config(app))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.005)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.fixture(scope="session")
def serving() -> Callable[..., AbstractContextManager[httpx.Client]]:
    """A context with a client of Training History over a database, with a token if one is given."""
    return _serving


@pytest.fixture
def web(database: Database) -> Iterator[httpx.Client]:
    """A client of Training History over this test's own database."""
    with _serving(database) as client:
        yield client
