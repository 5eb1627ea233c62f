"""What travels with a sweep to a cluster: where the record and the storage are, and code that only lies here."""

import importlib.util
import shutil
import sys
from pathlib import Path

from rlsweep.errors import InputError
from rlsweep.settings import Settings

SETTINGS_FILE = "rlsweep.env"
"""RLSWEEP_* variables. They travel in a file, for a job's environment variables are shown to all who look."""

MOST_BYTES = 100 * 1024**2
"""Of code: a folder with more holds data."""

_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


def write_job_files(folder: Path, settings: Settings, environments: set[str]) -> None:
    """Fill an empty folder with all that the sweep's driver and trials need there.

    environments: the ids of the sweep's environments; the module of one that is written `module:Class` and lies where
        the user works goes along, with the modules beside it
    Raises InputError where that would be too much.
    """
    storage = None if settings.storage == settings.home else str(settings.storage)
    lines = {"RLSWEEP_DATABASE_URL": settings.database_url, "RLSWEEP_STORAGE": storage}
    if settings.database_url is None:
        lines["RLSWEEP_HOME"] = str(settings.home)  # the embedded database: the cluster is on this machine
    text = "".join(f"{name}={value}\n" for name, value in lines.items() if value)
    file = folder / SETTINGS_FILE
    file.touch(mode=0o600)
    file.write_text(text)
    for module in sorted({name.partition(":")[0].partition(".")[0] for name in environments if ":" in name}):
        source = _source(module)
        if source is not None:
            _take(source, folder)


def _source(module: str) -> Path | None:
    """The module's file or package, if it is none that is installed."""
    spec = importlib.util.find_spec(module)
    # a folder without an __init__.py has no origin
    found = spec and (spec.origin or next(iter(spec.submodule_search_locations or ()), None))
    if not found:
        return None
    path = Path(found).resolve()
    if path.is_relative_to(sys.prefix) or path.is_relative_to(sys.base_prefix) or "site-packages" in path.parts:
        return None
    return path.parent if path.name == "__init__.py" else path


def _take(source: Path, folder: Path) -> None:
    """Copy the package or the module, and the modules that lie beside it, which it may import."""
    beside = (path for path in source.parent.glob("*.py") if path != source)
    wanted = [source, *(path for path in beside if path.is_file() and not path.name.startswith("."))]
    size = sum(_bytes_of(path) for path in wanted)
    if size > MOST_BYTES:
        raise InputError(
            f"{source} and what lies beside it are {size / 2**20:.0f} MB, too much to send with a sweep. Install the "
            "environment on the cluster's nodes instead, or keep its data elsewhere."
        )
    try:
        for path in wanted:
            if path.is_dir():
                shutil.copytree(
                    path, folder / path.name, ignore=_LEFT_OUT, dirs_exist_ok=True, ignore_dangling_symlinks=True
                )
            else:
                shutil.copy2(path, folder / path.name)
    except OSError as error:
        raise InputError(f"{source} and what lies beside it cannot be sent with a sweep: {error}") from error


def _bytes_of(path: Path) -> int:
    """How much of it is copied."""
    if not path.is_dir():
        return path.stat().st_size if path.exists() else 0
    names = [entry.name for entry in path.iterdir()]
    left_out = _LEFT_OUT(str(path), names)
    return sum(_bytes_of(path / name) for name in names if name not in left_out)
