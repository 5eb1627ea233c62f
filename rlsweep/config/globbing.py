"""Find the paths that match a glob, in time proportional to the number of folders, not of paths to them.

pathlib's glob follows every path: with two links back to a folder, each further `*/` doubles the work; in deep trees
each further `**/` does, and a pattern of a thousand parts exceeds the recursion limit.
"""

import fnmatch
import os
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path

MAGIC = re.compile(r"[*?\[]")


def split(pattern: Path) -> tuple[Path, tuple[str, ...]]:
    """Return the leading folders of a glob without wildcards, and the parts after them."""
    parts = pattern.parts
    first = next(index for index, part in enumerate(parts) if MAGIC.search(part))
    return Path(*parts[:first]), parts[first:]


def matches(folder: Path, parts: tuple[str, ...]) -> Iterator[Path]:
    """Yield the paths below `folder` that match the parts; unreadable folders are skipped.

    `**` matches folders of any depth, including none, and does not follow links; every other part matches one name.
    Each folder is searched once per remaining pattern, through a shortest path, even if many paths lead to it.
    """
    pending = deque([(folder, 0)])
    searched: set[tuple[int, int, int]] = set()
    while pending:
        folder, index = pending.popleft()
        part, is_last = parts[index], index + 1 == len(parts)
        try:
            status = os.stat(folder)
            if (place := (status.st_dev, status.st_ino, index)) in searched:
                continue
            searched.add(place)
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        if part == "**":
            pending += [] if is_last else [(folder, index + 1)]
            pending += [(folder / entry.name, index) for entry in entries if entry.is_dir(follow_symlinks=False)]
            continue
        named = re.compile(fnmatch.translate(part)).match
        if is_last:
            yield from (folder / entry.name for entry in entries if named(entry.name))
        elif part == "..":
            pending.append((folder / part, index + 1))
        else:
            found = (folder / entry.name for entry in entries if named(entry.name))
            pending += [(path, index + 1) for path in found if os.path.isdir(path)]  # False for circular links
