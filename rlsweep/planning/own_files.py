"""Whether the files of a user's own class are those that were measured; the class is not imported for it."""

import hashlib
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

MOST_FILES = 2000
"""More than that are not looked at, and what is theirs is measured again each time."""


def stamp(reference: str) -> str | None:
    """A text that differs once a file of the module of `module:Class` has changed; None where they are not known.

    Of a package these are all files below its folder, of any other module the Python files beside it, which it may
    import. A file counts as changed if its size or its time of change is another.
    """
    module = reference.partition(":")[0].partition(".")[0]
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):  # such as __main__, which has no spec
        return None
    if spec is None:
        return None
    is_package = bool(spec.submodule_search_locations)
    folders = spec.submodule_search_locations or [os.path.dirname(spec.origin or "")]
    found = hashlib.sha256()
    count = 0
    for folder in folders:
        for path in sorted(_package_files(folder) if is_package else Path(folder).glob("*.py")):
            count += 1
            if count > MOST_FILES:
                return None
            status = path.stat()
            found.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return found.hexdigest() if count else None


def _package_files(folder: str) -> Iterator[Path]:
    for parent, below, names in os.walk(folder):
        below[:] = [name for name in below if name != "__pycache__"]
        yield from (Path(parent, name) for name in names)
