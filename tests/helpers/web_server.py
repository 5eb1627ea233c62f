"""Training History over real HTTP, without the three CPU seconds that a process of its own takes to start."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from rlsweep.store.database import Database
from rlsweep.web.app import create_app
from rlsweep.web.server import http_config

HOSTS = ("localhost", "127.0.0.1")


@contextmanager
def in_thread(database: Database, token: str | None = None) -> Iterator[str]:
    """The address of the application in a thread of its own, on a port of its own."""
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
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(10)
