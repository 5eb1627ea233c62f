"""Globs, files and folders, as a user gives them → the config files they mean."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from rlsweep.config.reading import EXTENSIONS, files_beside
from rlsweep.errors import ConfigError

_MAGIC = re.compile(r"[*?\[]")


def expand(patterns: Sequence[str]) -> tuple[Path, ...]:
    """Return the config files that the patterns mean, each once (links followed), sorted.

    A pattern is a file, a folder (the config files that lie directly in it) or a glob, in which `**` stands for any
    depth of folders and does not follow links to folders. ConfigError with one problem for each pattern that means
    no file. An explicit file is taken as it is: reading it says what is wrong with it.
    """
    problems: list[str] = []
    by_target: dict[str, Path] = {}
    for pattern in patterns:
        try:
            for path in sorted(_files(pattern)):
                by_target.setdefault(os.path.realpath(path), path)
        except ConfigError as exc:
            problems.extend(exc.problems)
        except OSError as exc:
            problems.append(f"{pattern}: cannot be read: {exc.strerror}")
    if not patterns:
        problems.append("No config file given; name files, folders or a pattern such as 'config/agents/*.yaml'")
    if problems:
        raise ConfigError(*problems)
    return tuple(sorted(by_target.values()))


def _files(pattern: str) -> list[Path]:
    path = Path(os.path.expanduser(pattern))
    if path.is_dir():
        found = [entry for entry in path.iterdir() if _is_config(entry)]
        if not found:
            raise ConfigError(f"No config file in the folder {path}; it should hold .yaml, .yml or .json files")
        return found
    if path.exists() or not _MAGIC.search(pattern):
        return [path]
    found = [entry for entry in _glob(path) if _is_config(entry)]
    if not found:
        raise ConfigError(f"No config file matches {pattern!r}{_nearby(path)}")
    return found


def _is_config(path: Path) -> bool:
    return path.suffix.lower() in EXTENSIONS and path.is_file() and not path.name.startswith(".")


def _fixed_part(path: Path) -> Path:
    """Return the leading folders of a glob that hold no wildcard."""
    while _MAGIC.search(str(path)):
        path = path.parent
    return path


def _glob(path: Path) -> list[Path]:
    fixed = _fixed_part(path)
    try:
        return list(fixed.glob(str(path.relative_to(fixed))))
    except ValueError as exc:
        raise ConfigError(
            f"{path}: in a pattern, ** must stand alone between slashes, as in {fixed}/**/*.yaml"
        ) from exc


def _nearby(path: Path) -> str:
    """Say what lies where the glob looked."""
    fixed = _fixed_part(path)
    return files_beside(fixed / re.sub(_MAGIC, "", path.name))
