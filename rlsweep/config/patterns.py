"""Expand the globs, files and folders that a user gives into config files."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from rlsweep.config import globbing
from rlsweep.config.limits import MAX_PATTERN
from rlsweep.config.reading import EXTENSIONS, dangling, files_in
from rlsweep.errors import ConfigError


def expand(patterns: Sequence[str], left_out: Callable[[str], object] = lambda _: None) -> tuple[Path, ...]:
    """Return the config files that match the patterns, sorted; a file reached by several paths or links counts once.

    A pattern is a file, a folder (the config files directly in it) or a glob; `**` matches folders of any depth and
    does not follow links to folders. Raises ConfigError with one problem for each pattern that matches no file. A
    named file is returned unchecked: reading it reports its problems.

    left_out: called with a warning for each link of a folder or glob that leads nowhere
    """
    problems: list[str] = []
    by_target: dict[str, Path] = {}
    for pattern in patterns:
        try:
            for path in sorted(_files(pattern, left_out)):
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


def _files(pattern: str, left_out: Callable[[str], object]) -> list[Path]:
    if len(pattern) > MAX_PATTERN:
        lengths = f"the pattern has {len(pattern)} characters, at most {MAX_PATTERN} are allowed"
        raise ConfigError(f"{pattern}: {lengths}; name a folder instead")
    if "\0" in pattern:
        raise ConfigError(f"{pattern}: a file name cannot contain NUL")
    path = Path(os.path.expanduser(pattern))
    if path.is_dir():
        found, nowhere = _sorted_out(path.iterdir(), left_out)
        if not found:
            hint = nowhere or "a config file ends in .yaml, .yml or .json"
            raise ConfigError(f"No config file in the folder {path}; {hint}")
        return found
    if path.exists() or not globbing.MAGIC.search(pattern):
        return [path]
    return _glob(path, left_out)


def _is_config_name(path: Path) -> bool:
    return path.suffix.lower() in EXTENSIONS and not path.name.startswith(".")


def _glob(path: Path, left_out: Callable[[str], object]) -> list[Path]:
    folder, parts = globbing.split(path)
    if any("**" in part and part != "**" for part in parts):
        raise ConfigError(f"{path}: ** must stand alone between slashes, as in {folder / '**/*.yaml'}")
    found, nowhere = _sorted_out(globbing.matches(folder, parts), left_out)
    if not found:
        hint = f"; {nowhere}" if nowhere else files_in(folder, near=globbing.MAGIC.sub("", path.name))
        raise ConfigError(f"No config file matches {str(path)!r}{hint}")
    return found


def _sorted_out(paths: Iterable[Path], left_out: Callable[[str], object]) -> tuple[list[Path], str | None]:
    """The config files among some paths, and one of the links that lead nowhere, which `left_out` gets."""
    found, nowhere = [], None
    for path in paths:
        if not _is_config_name(path):
            continue
        if path.is_file():
            found.append(path)
        elif problem := dangling(path):
            nowhere = problem
            left_out(f"{problem}: it is left out")
    return found, nowhere
