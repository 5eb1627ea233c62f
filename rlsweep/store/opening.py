"""The database that the settings name, ready for use."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from rlsweep.errors import before_start
from rlsweep.paths import Paths
from rlsweep.settings import Settings
from rlsweep.store import schema
from rlsweep.store.database import Database
from rlsweep.store.embedded import embedded_server


@contextmanager
def open_database(settings: Settings, *, is_service: bool = False) -> Iterator[Database]:
    """The user's server where RLSWEEP_DATABASE_URL names one, else the embedded one, with the schema applied.

    The embedded server runs at least until the context ends. Workers need none of this: they get the URL from their
    driver, and `Database(url)` is enough.

    is_service: the caller is the home's service. Others do not upgrade an older schema while a service is up

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


@before_start()
def check_reachable(settings: Settings) -> None:
    """Raise UnreachableError where the user's own server does not answer; the embedded one always will."""
    if settings.database_url:
        with Database(settings.database_url).readonly():
            pass
