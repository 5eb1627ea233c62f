"""The schema: numbered files, applied in order, each once."""

import re
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from rlsweep.errors import SchemaError
from rlsweep.store.database import Connection, Database
from rlsweep.store.queries import load

ENCODING = "UTF8"

_SQL = load("schema")
_FILE_NAME = re.compile(r"(\d{3})_(\w+)\.sql")


@dataclass(frozen=True, kw_only=True, slots=True)
class Migration:
    """One numbered file: what leads from the schema `version - 1` to `version`."""

    version: int
    name: str
    statements: bytes


def migrations() -> tuple[Migration, ...]:
    """All that this version of rlsweep knows, in order."""
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


def upgrade(database: Database) -> int:
    """Apply what is missing, in one transaction, and return the version reached.

    Several processes may call it at once: they take turns, and the later ones find nothing to do. Raises SchemaError
    where the database is newer than this version of rlsweep, or keeps text otherwise than as UTF-8.
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
            f"The database {database.location} keeps text as {row['encoding']}, which cannot hold every name. "
            f"Make one that keeps it as {ENCODING}: createdb --encoding={ENCODING} --template=template0 rlsweep"
        )


def _version(connection: Connection) -> int:
    present = connection.execute(_SQL["has_schema_versions"]).fetchone()
    if present is None or not present["present"]:
        return 0
    row = connection.execute(_SQL["get_schema_version"]).fetchone()
    return 0 if row is None else int(row["version"])
