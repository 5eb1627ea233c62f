"""A database that is used through one connection per short transaction."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row

from rlsweep.errors import InputError, SchemaError, StoreReadOnlyError, StoreUnavailableError

CONNECT_TIMEOUT_SECONDS = 5

Connection = psycopg.Connection[DictRow]

_DEFAULTS: dict[str, Any] = {
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
    "application_name": "rlsweep",
    "client_encoding": "utf8",  # regardless of PGCLIENTENCODING
    # if a server disappears, a trial's flush must not wait for the kernel's timeout of 15 minutes
    "tcp_user_timeout": 15_000,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


# errors of an unreachable server; the last two are limits that end a connection
_AWAY = (
    psycopg.OperationalError,
    psycopg.errors.IdleInTransactionSessionTimeout,
    psycopg.errors.TransactionTimeout,
)


@dataclass(frozen=True, slots=True, repr=False)
class Database:
    """A PostgreSQL database, given by its URL (or libpq connection string).

    Every transaction opens its own connection, so a thousand trials need only a few at a time (a driver, and a trial
    that has few beside it, use a `KeptConnection`). It leaves no session state, so it works through PgBouncer in
    transaction mode.
    """

    url: str

    def __repr__(self) -> str:
        """A text without the password."""
        return f"Database({self.location})"

    @property
    def location(self) -> str:
        """Database name and host for messages, without the password."""
        parts = _parts(self.url)
        if parts is None:
            return "(unreadable URL)"
        host = parts.get("host") or parts.get("hostaddr") or "localhost"
        where = host if host.startswith("/") else f"{host}:{parts.get('port') or 5432}"
        return f'"{parts.get("dbname") or parts.get("user") or "postgres"}" at {where}'

    @property
    def is_named(self) -> bool:
        """Whether the URL is valid, so that its server may become reachable later."""
        return _parts(self.url) is not None

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Open a connection for one transaction: commit at the end, or roll back on an exception, then close.

        Raises StoreUnavailableError if the server cannot be reached, has no free connection, or disappeared (a running
        commit may then have succeeded or not, so all statements can be repeated); StoreReadOnlyError, which is one, if
        it accepts no writes for now, or none of this user; SchemaError if tables are missing.
        """
        try:
            with self._translated_errors(refused=StoreReadOnlyError), self._transaction() as connection:
                yield connection
        except psycopg.errors.ReadOnlySqlTransaction as exc:
            # a primary that became a standby in a failover, or a full disk: it will accept writes again
            raise StoreReadOnlyError(str(self._unavailable(exc))) from exc

    @contextmanager
    def readonly(self) -> Iterator[Connection]:
        """Like `connect`, for reading: all queries see the same snapshot, and the server refuses writes.

        Also raises InputError for values that PostgreSQL cannot represent, such as a NUL character.
        """
        try:
            with self._translated_errors(), self._transaction() as connection:
                connection.read_only = True
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                yield connection
        except psycopg.DataError as exc:
            raise InputError(f"Invalid lookup value: {self._reason(exc)}.") from exc

    def close(self) -> None:
        """Do nothing: no connection is kept between transactions. A `KeptConnection` closes its own."""

    def _transaction(self) -> AbstractContextManager[Connection]:
        """A connection that ends with its context, at which it commits or rolls back."""
        return self._open()

    def _open(self) -> Connection:
        given = _parts(self.url)
        if given is None:
            raise StoreUnavailableError(
                "RLSWEEP_DATABASE_URL cannot be read as a PostgreSQL URL. Write "
                "postgresql://user:password@host:5432/database, with special characters of the password as %XX."
            )
        defaults = {key: value for key, value in _DEFAULTS.items() if key not in given}
        return psycopg.Connection[DictRow].connect(self.url, row_factory=dict_row, prepare_threshold=None, **defaults)

    @contextmanager
    def _translated_errors(self, refused: type[StoreUnavailableError] = StoreUnavailableError) -> Iterator[None]:
        """Raise what psycopg raises as an error of this package; `refused` where the user lacks a right."""
        try:
            yield
        except _AWAY as exc:
            raise self._unavailable(exc) from exc
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as exc:
            raise SchemaError(
                f"The database {self.location} lacks rlsweep's tables or columns ({self._reason(exc)}). "
                "Run `rlsweep db upgrade`."
            ) from exc
        except psycopg.errors.InsufficientPrivilege as exc:
            raise refused(
                f"The user of the database {self.location} lacks a right that rlsweep needs: {self._reason(exc)}. "
                "Grant it, or set another user in RLSWEEP_DATABASE_URL."
            ) from exc

    def _unavailable(self, exc: psycopg.Error) -> StoreUnavailableError:
        return StoreUnavailableError(
            f"Cannot work with the database {self.location}: {self._reason(exc)}. {self._way_out}"
        )

    def _reason(self, exc: psycopg.Error) -> str:
        """The first line of the server's or libpq's message, without the password."""
        reason = str(exc).strip().split("\n", 1)[0].removeprefix("connection failed: ").rstrip(".")
        password = (_parts(self.url) or {}).get("password")
        if password:
            reason = reason.replace(password, "***").replace(quote(password, safe=""), "***")
        return reason or type(exc).__name__

    @property
    def _way_out(self) -> str:
        if ((_parts(self.url) or {}).get("host") or "").startswith("/"):
            return "Try again, which restarts the embedded server; or set RLSWEEP_DATABASE_URL to another server."
        return "Check RLSWEEP_DATABASE_URL and the server, or unset the variable to use the embedded database."


def _parts(url: str) -> dict[str, str] | None:
    """The parts of a URL or connection string; None if it is invalid.

    With an unescaped "@", "/" or ":" in the password, libpq reads a part of the password as host, port or database and
    would show it in messages. Such a URL counts as invalid.
    """
    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.ProgrammingError:
        return None
    shifted = "@" in parts.get("host", "") or "@" in parts.get("dbname", "")
    ports = parts.get("port", "").replace(",", "")
    return None if shifted or (ports and not ports.isdecimal()) else parts
