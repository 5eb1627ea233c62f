"""Training History over real HTTP, without the three CPU seconds that a process of its own takes to start."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn

from rlsweep.spaces.importance import Column, Floats, shares
from rlsweep.store.database import Database
from rlsweep.web.app import create_app
from rlsweep.web.importance_process import ImportanceProcess
from rlsweep.web.server import http_config

HOSTS = ("localhost", "127.0.0.1")


class _Here(ImportanceProcess):
    """Computes in this process, which imports scikit-learn once for all tests, and not for every page."""

    def begin(self) -> None:
        pass

    def shares(self, columns: Sequence[Column], mean: Floats, sd: Floats, freedom: float) -> Floats:
        return shares(columns, mean, sd, freedom)


@contextmanager
def in_thread(database: Database, token: str | None = None) -> Iterator[str]:
    """The address of the application in a thread of its own, on a port of its own."""
    app = create_app(database, allowed_hosts=HOSTS, token=token)
    app.state.importance = _Here()
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
