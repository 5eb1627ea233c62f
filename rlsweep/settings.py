"""The RLSWEEP_* environment variables as a frozen record."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rlsweep.errors import InputError
from rlsweep.storage import Location, locate


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Where rlsweep stores its data.

    home: RLSWEEP_HOME (default ~/.rlsweep), contains the embedded database and, by default, all artifacts
    storage: RLSWEEP_STORAGE (default home), a path or URI, contains checkpoints and TensorBoard logs
    database_url: RLSWEEP_DATABASE_URL, the user's own PostgreSQL server; None means the embedded one
    """

    home: Path
    storage: Location
    database_url: str | None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the variables; an empty one counts as unset. Raises InputError for an invalid URI."""
        home = Path(environ.get("RLSWEEP_HOME") or "~/.rlsweep").expanduser().absolute()
        storage = environ.get("RLSWEEP_STORAGE")
        try:
            location = locate(storage) if storage else home
        except InputError as exc:
            raise InputError(f"RLSWEEP_STORAGE: {exc}") from exc
        return cls(home=home, storage=location, database_url=environ.get("RLSWEEP_DATABASE_URL") or None)


def read_variables(path: Path) -> dict[str, str]:
    """Read RLSWEEP_* variables from a file, NAME=VALUE on each line; empty lines and lines with # are skipped.

    Raises InputError if the file cannot be read or has any other line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--settings {path}: {getattr(error, 'strerror', None) or error}.") from error
    variables = {}
    for number, line in enumerate(lines, start=1):
        name, separator, value = line.strip().partition("=")
        if not name or name.startswith("#"):
            continue
        if not separator or not name.startswith("RLSWEEP_"):
            raise InputError(f"--settings {path}, line {number}: write RLSWEEP_NAME=VALUE.")
        variables[name] = value
    return variables
