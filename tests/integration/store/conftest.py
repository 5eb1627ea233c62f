"""Every store test that asks for `database` runs over both kinds of server."""

import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg.conninfo import make_conninfo

from rlsweep.store import schema
from rlsweep.store.database import Database
from rlsweep.store.embedded import program
from rlsweep.store.keeper import server_processes, stop_server
from rlsweep.store.owner import Owner

Copy = Callable[[Database], AbstractContextManager[Database]]

PASSWORD = "s3cret/with@odd:characters"


@pytest.fixture(scope="session")
def password_server() -> Iterator[Database]:
    """A server as a user would have one: over TCP, with a password."""
    with tempfile.TemporaryDirectory(prefix="rlsweep-test-") as name:
        yield from _password_server(Path(name))


def _password_server(folder: Path) -> Iterator[Database]:
    owner = Owner.for_this_process()
    owner.give(folder)
    owner.open_way_to(folder)
    password_file = folder / "password"
    password_file.write_text(PASSWORD)
    owner.give(password_file)
    data = folder / "data"
    options = ["--username=someone", "--auth=scram-sha-256", f"--pwfile={password_file}", "--no-sync"]
    owner.run([program("initdb"), "-D", data, *options])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    listen = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -p {port}"
    owner.run([program("pg_ctl"), "start", "-D", data, "-l", folder / "log", "-o", listen, "-w", "-s"])
    try:
        database = Database(f"postgresql://someone:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/postgres")
        schema.upgrade(database)
        yield database
    finally:
        stop_server(data)
        assert not server_processes(data)


@pytest.fixture(params=["embedded", "by URL"])
def template(request: pytest.FixtureRequest) -> Database:
    """The server that this test runs over."""
    chosen = {"embedded": "embedded_database", "by URL": "password_server"}[request.param]
    found: Database = request.getfixturevalue(chosen)
    return found


@pytest.fixture
def database(template: Database, copy_of: Copy) -> Iterator[Database]:
    """An empty database with the schema applied, for this test alone."""
    with copy_of(template) as fresh:
        yield fresh


@pytest.fixture
def empty_database(template: Database, copy_of: Copy) -> Iterator[Database]:
    """A database without any tables."""
    with copy_of(Database(make_conninfo(template.url, dbname="template0"))) as fresh:
        yield fresh
