"""Expand the globs, files and folders that a user gives into config files."""

import os
from collections.abc import Sequence
from pathlib import Path

from rlsweep.config import globbing
from rlsweep.config.limits import MAX_PATTERN
from rlsweep.config.reading import EXTENSIONS, files_in
from rlsweep.errors import ConfigError


def expand(patterns: Sequence[str]) -> tuple[Path, ...]:
    """Return the config files that match the patterns, sorted; a file reached by several paths or links counts once.

    A pattern is a file, a folder (the config files directly in it) or a glob; `**` matches folders of any depth and
    does not follow links to folders. Raises ConfigError with one problem for each pattern that matches no file. A
    named file is returned unchecked: reading it reports its problems.
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
    if len(pattern) > MAX_PATTERN:
        lengths = f"the pattern has {len(pattern)} characters, at most {MAX_PATTERN} are allowed"
        raise ConfigError(f"{pattern}: {lengths}; name a folder instead")
    if "\0" in pattern:
        raise ConfigError(f"{pattern}: a file name cannot contain NUL")
    path = Path(os.path.expanduser(pattern))
    if path.is_dir():
        found = [entry for entry in path.iterdir() if _is_config(entry)]
        if not found:
            raise ConfigError(f"No config file in the folder {path}; a config file ends in .yaml, .yml or .json")
        return found
    if path.exists() or not globbing.MAGIC.search(pattern):
        return [path]
    return _glob(path)


def _is_config(path: Path) -> bool:
    return path.suffix.lower() in EXTENSIONS and path.is_file() and not path.name.startswith(".")


def _glob(path: Path) -> list[Path]:
    folder, parts = globbing.split(path)
    if any("**" in part and part != "**" for part in parts):
        raise ConfigError(f"{path}: ** must stand alone between slashes, as in {folder / '**/*.yaml'}")
    found = [match for match in globbing.matches(folder, parts) if _is_config(match)]
    if not found:
        literal = globbing.MAGIC.sub("", path.name)
        raise ConfigError(f"No config file matches {str(path)!r}{files_in(folder, near=literal)}")
    return found
