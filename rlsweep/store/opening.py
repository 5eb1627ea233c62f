"""Open the database of the settings and apply the schema."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from psycopg.conninfo import make_conninfo

from rlsweep.errors import before_start
from rlsweep.paths import Paths
from rlsweep.settings import Settings
from rlsweep.store import schema
from rlsweep.store.database import Database
from rlsweep.store.embedded import embedded_server, running_server

HURRIED_CONNECT_SECONDS = 2
"""The shortest time limit that libpq knows."""


@contextmanager
def open_database(settings: Settings, *, is_service: bool = False) -> Iterator[Database]:
    """Open the server of RLSWEEP_DATABASE_URL, or the embedded one, and apply the schema.

    The embedded server runs at least until the context ends. Workers do not need this function: they get the URL from
    their driver and use `Database(url)`.

    is_service: whether the caller is the home's service. Other callers do not upgrade the schema while a service runs

    Raises UnreachableError or SchemaError.
    """
    service_lock = None if is_service else Paths(settings).service_lock
    with ExitStack() as stack:
        with before_start():
            if settings.database_url:
                database = Database(settings.database_url)
            else:
                database = stack.enter_context(embedded_server(Paths(settings).embedded_database))
            schema.upgrade(database, service_lock=service_lock)
        yield database


def running_database(settings: Settings) -> Database | None:
    """The database of these settings as it is, for readers in a hurry: no server is started, no schema is upgraded.

    None if the embedded server does not run, or the user's URL cannot be read.
    """
    if not settings.database_url:
        return running_server(Paths(settings).embedded_database)
    if not Database(settings.database_url).is_named:
        return None
    return Database(make_conninfo(settings.database_url, connect_timeout=HURRIED_CONNECT_SECONDS))


@before_start()
def check_reachable(settings: Settings) -> None:
    """Raise UnreachableError if the user's own server does not answer; the embedded one is not checked."""
    if settings.database_url:
        with Database(settings.database_url).readonly():
            pass
