"""Store tests that ask for `database` run over the servers that their module names in SERVERS.

The SQL is the same on each, so most ask the embedded one alone; what opens connections and makes tables asks both.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from psycopg.conninfo import make_conninfo

from rlsweep.store.database import Database

Copy = Callable[[Database], AbstractContextManager[Database]]


BY_NAME = {"embedded": "embedded_database", "by URL": "password_server"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "template" in metafunc.fixturenames:
        servers = getattr(metafunc.module, "SERVERS", ("embedded",))
        metafunc.parametrize("template", servers, indirect=True)


@pytest.fixture
def template(request: pytest.FixtureRequest) -> Database:
    """The server that this test runs over."""
    found: Database = request.getfixturevalue(BY_NAME[request.param])
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
