"""Load SQL statements from files with named blocks, so that editors highlight them as SQL."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from psycopg import sql

_HEADER = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def load(name: str) -> Mapping[str, bytes]:
    """The statements of `sql/{name}.sql` by their names; each block starts with `-- name: …`."""
    text = (files("rlsweep.store") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    _, *blocks = _HEADER.split(text)
    return {
        block_name: statement.strip().encode() for block_name, statement in zip(blocks[0::2], blocks[1::2], strict=True)
    }


def composed(statement: bytes, **parts: str) -> sql.Composed:
    """Insert SQL parts into a statement's `{placeholders}`. Parts come only from this package, never from a user."""
    return sql.SQL(statement.decode()).format(**{key: sql.SQL(part) for key, part in parts.items()})
