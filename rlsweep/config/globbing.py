"""A glob → the paths it matches, in time that grows with the folders there are and not with the ways to reach them.

pathlib's own glob takes every way: with two links back to a folder, each further `*/` doubles the work, in deep trees
so does each further `**/`, and a pattern of a thousand parts exhausts its recursion.
"""

import fnmatch
import os
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path

MAGIC = re.compile(r"[*?\[]")


def split(pattern: Path) -> tuple[Path, tuple[str, ...]]:
    """Return the leading folders of a glob that hold no wildcard, and the parts after them."""
    parts = pattern.parts
    first = next(index for index, part in enumerate(parts) if MAGIC.search(part))
    return Path(*parts[:first]), parts[first:]


def matches(folder: Path, parts: tuple[str, ...]) -> Iterator[Path]:
    """Yield the paths below `folder` that the parts match; folders that cannot be read are left out.

    `**` stands for any depth of folders, none included, and does not follow links; every other part stands for one
    name. However many paths lead to a folder, it is searched once for what is left of the pattern, by a shortest one.
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
            pending += [(path, index + 1) for path in found if os.path.isdir(path)]  # False for links without end
