"""SQL stands in files of named blocks, so that it reads, and is coloured, as SQL."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_HEADER = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def load(name: str) -> Mapping[str, bytes]:
    """The statements of `sql/{name}.sql` by their names; each block starts with `-- name: …`."""
    text = (files("rlsweep.store") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    _, *blocks = _HEADER.split(text)
    return {
        block_name: statement.strip().encode() for block_name, statement in zip(blocks[0::2], blocks[1::2], strict=True)
    }
