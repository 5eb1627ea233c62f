"""Clients of Training History over real HTTP."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import httpx
import pytest

from rlsweep.store.database import Database
from tests.helpers.web_server import in_thread


@contextmanager
def _serving(database: Database, token: str | None = None) -> Iterator[httpx.Client]:
    with in_thread(database, token) as url, httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def serving() -> Callable[..., AbstractContextManager[httpx.Client]]:
    """A context with a client of Training History over a database, with a token if one is given."""
    return _serving


@pytest.fixture
def web(database: Database) -> Iterator[httpx.Client]:
    """A client of Training History over this test's own database."""
    with _serving(database) as client:
        yield client
