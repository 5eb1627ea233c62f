"""The schema: numbered files, applied in order, each once."""

import re
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from rlsweep.errors import SchemaError
from rlsweep.locks import is_held
from rlsweep.store.database import Connection, Database
from rlsweep.store.liveness import LEASE_PATIENCE_SECONDS, RUN_PATIENCE_SECONDS
from rlsweep.store.queries import load

ENCODING = "UTF8"

MAX_NAMED = 5
"""Maximum number of sweeps and runs that a message names."""

_SQL = load("schema")
_FILE_NAME = re.compile(r"(\d{3})_(\w+)\.sql")


@dataclass(frozen=True, kw_only=True, slots=True)
class Migration:
    """One numbered file; it changes the schema from `version - 1` to `version`."""

    version: int
    name: str
    statements: bytes


def migrations() -> tuple[Migration, ...]:
    """All migrations of this version of rlsweep, in order."""
    folder: Traversable = files("rlsweep.store") / "sql"
    found = [(match, file) for file in folder.iterdir() if (match := _FILE_NAME.fullmatch(file.name))]
    return tuple(
        Migration(version=int(match[1]), name=match[2], statements=file.read_bytes())
        for match, file in sorted(found, key=lambda pair: pair[0][1])
    )


def schema_version(database: Database) -> int:
    """The newest version applied; 0 for an empty database."""
    with database.readonly() as connection:
        return _version(connection)


def upgrade(database: Database, *, service_lock: Path | None = None) -> int:
    """Apply missing migrations in one transaction, and return the new version.

    Several processes may call this at the same time: a lock lets one after the other in, and the later ones change
    nothing.

    service_lock: file that the home's service keeps locked while it runs

    Raises SchemaError if the database is newer than this version of rlsweep, processes of an older version still use
    it, or its encoding is not UTF-8.
    """
    known = migrations()
    newest = known[-1].version
    current = schema_version(database)
    if current < newest:
        with database.connect() as connection:
            _check_encoding(database, connection)
            connection.execute(_SQL["lock_schema"])
            connection.execute(_SQL["create_schema_versions"])
            current = _version(connection)
            if 0 < current < newest:
                _check_unused(database, connection, service_lock)
            for migration in known[current:]:
                connection.execute(migration.statements)
                connection.execute(
                    _SQL["insert_schema_version"], {"version": migration.version, "name": migration.name}
                )
                current = migration.version
    if current > newest:
        raise SchemaError(
            f"The database {database.location} has schema version {current}; this rlsweep knows versions up to "
            f"{newest}. Upgrade rlsweep, or use another database."
        )
    return current


def _check_encoding(database: Database, connection: Connection) -> None:
    row = connection.execute(_SQL["get_encoding"]).fetchone()
    assert row is not None
    if row["encoding"] != ENCODING:
        raise SchemaError(
            f"The database {database.location} has the encoding {row['encoding']}; rlsweep needs {ENCODING}. "
            f"Create another one: createdb --encoding={ENCODING} --template=template0 rlsweep"
        )


def _check_unused(database: Database, connection: Connection, service_lock: Path | None) -> None:
    """Raise SchemaError if drivers, workers or a service of an older version are alive.

    They would write rows that the new schema refuses. The tables stay locked, so that no new one starts meanwhile.
    """
    connection.execute(_SQL["lock_tables"])
    patience = {"lease_patience_seconds": LEASE_PATIENCE_SECONDS, "run_patience_seconds": RUN_PATIENCE_SECONDS}
    users = [f"{row['kind']} {row['name']}" for row in connection.execute(_SQL["list_users"], patience)]
    if len(users) > MAX_NAMED:
        users[MAX_NAMED:] = [f"{len(users) - MAX_NAMED} more"]
    if service_lock is not None and is_held(service_lock):
        users.append(f"the service of {service_lock.parent.parent}")
    if users:
        raise SchemaError(
            f"An older rlsweep still uses the database {database.location}: {', '.join(users)}. Stop it with the older "
            "version (`rlsweep stop SWEEP`, `rlsweep stop RUN`, `rlsweep down`), or try again a minute after it has "
            "ended."
        )


def _version(connection: Connection) -> int:
    present = connection.execute(_SQL["has_schema_versions"]).fetchone()
    if present is None or not present["present"]:
        return 0
    row = connection.execute(_SQL["get_schema_version"]).fetchone()
    return 0 if row is None else int(row["version"])
