"""Every store test that asks for `database` runs over both kinds of server."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from psycopg.conninfo import make_conninfo

from rlsweep.store.database import Database

Copy = Callable[[Database], AbstractContextManager[Database]]


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
