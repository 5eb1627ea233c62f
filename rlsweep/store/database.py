"""One database, reached anew for each short transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row

from rlsweep.errors import InputError, SchemaError, StoreUnavailableError

CONNECT_TIMEOUT_SECONDS = 5

Connection = psycopg.Connection[DictRow]

_DEFAULTS: dict[str, Any] = {
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
    "application_name": "rlsweep",
    "client_encoding": "utf8",  # whatever PGCLIENTENCODING says
    # A server that vanished without a word must not hold a trial's flush for the kernel's quarter of an hour.
    "tcp_user_timeout": 15_000,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


# The last two are limits that a server may set on every session; it ends the connection.
_AWAY = (
    psycopg.OperationalError,
    psycopg.errors.IdleInTransactionSessionTimeout,
    psycopg.errors.TransactionTimeout,
)


@dataclass(frozen=True, slots=True, repr=False)
class Database:
    """A PostgreSQL database by its URL (or libpq connection string).

    Every transaction has a connection of its own, so that a thousand trials hold a handful of them, and leaves no
    session state behind: it works through PgBouncer in transaction mode.
    """

    url: str

    def __repr__(self) -> str:
        """Without the password."""
        return f"Database({self.location})"

    @property
    def location(self) -> str:
        """Database name and host, for people; never the password."""
        parts = _parts(self.url)
        if parts is None:
            return "(unreadable URL)"
        host = parts.get("host") or parts.get("hostaddr") or "localhost"
        where = host if host.startswith("/") else f"{host}:{parts.get('port') or 5432}"
        return f'"{parts.get("dbname") or parts.get("user") or "postgres"}" at {where}'

    @property
    def is_named(self) -> bool:
        """Whether the URL can be read, so that the server it names may come yet."""
        return _parts(self.url) is not None

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back by an exception, the connection closed either way.

        Raises StoreUnavailableError where the server cannot be reached, has no connection to spare, takes no writes for
        now, or went away (whether a commit that was under way took place is then unknown: statements are written to
        bear a repeat); SchemaError where the tables are missing.
        """
        try:
            with self._translated_errors(), self._open() as connection:
                yield connection
        except psycopg.errors.ReadOnlySqlTransaction as exc:
            # a primary that a failover made a standby, or a server whose disk is full: it will take writes again
            raise self._unavailable(exc) from exc

    @contextmanager
    def readonly(self) -> Iterator[Connection]:
        """As `connect`, for reading: all queries see one moment, and the server refuses to write.

        Raises InputError too, for values that no text or number of PostgreSQL can be (a NUL character, say).
        """
        try:
            with self._translated_errors(), self._open() as connection:
                connection.read_only = True
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                yield connection
        except psycopg.DataError as exc:
            raise InputError(f"Nothing can be looked up by a value that was given: {self._reason(exc)}.") from exc

    def _open(self) -> Connection:
        given = _parts(self.url)
        if given is None:
            raise StoreUnavailableError(
                "RLSWEEP_DATABASE_URL cannot be read as a PostgreSQL URL. Write it as "
                "postgresql://user:password@host:5432/database, special characters of the password as %XX."
            )
        defaults = {key: value for key, value in _DEFAULTS.items() if key not in given}
        return psycopg.Connection[DictRow].connect(self.url, row_factory=dict_row, prepare_threshold=None, **defaults)

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
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
            raise StoreUnavailableError(
                f"The user of the database {self.location} lacks a right that rlsweep needs: {self._reason(exc)}. "
                "Grant it, or name another user in RLSWEEP_DATABASE_URL."
            ) from exc

    def _unavailable(self, exc: psycopg.Error) -> StoreUnavailableError:
        return StoreUnavailableError(
            f"Cannot work with the database {self.location}: {self._reason(exc)}. {self._way_out}"
        )

    def _reason(self, exc: psycopg.Error) -> str:
        """The first line of what the server or libpq said."""
        reason = str(exc).strip().split("\n", 1)[0].removeprefix("connection failed: ").rstrip(".")
        password = (_parts(self.url) or {}).get("password")
        if password:
            reason = reason.replace(password, "***").replace(quote(password, safe=""), "***")
        return reason or type(exc).__name__

    @property
    def _way_out(self) -> str:
        if ((_parts(self.url) or {}).get("host") or "").startswith("/"):
            return "Try again: rlsweep starts its embedded server anew; or name a server in RLSWEEP_DATABASE_URL."
        return "Check RLSWEEP_DATABASE_URL and that server, or unset the variable to use the embedded database."


def _parts(url: str) -> dict[str, str] | None:
    """The parts of a URL or connection string; None where it cannot be read.

    An unescaped "@", "/" or ":" in a password shifts the parts: libpq takes a piece of the password for the host, the
    port or the database, and would say it aloud. Such a URL counts as unreadable.
    """
    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.ProgrammingError:
        return None
    shifted = "@" in parts.get("host", "") or "@" in parts.get("dbname", "")
    ports = parts.get("port", "").replace(",", "")
    return None if shifted or (ports and not ports.isdecimal()) else parts
