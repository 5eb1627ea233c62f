"""The table of faults in faults.toml, and whether it still fits the source."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).parent / "faults.toml"

SUFFIXES = (".py", ".sql", ".js", ".html", ".css")
"""Source files in which a fault may lie."""


class StaleError(Exception):
    """A fault that does not fit the source any more: its text or one of its tests is not there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One mistake, made in one place of the source.

    name: short, unique; room: the part of rlsweep that it is in
    breaks: what goes wrong then, in one sentence
    old, new: a line, or a fragment of one, and what takes its place
    tests: files or node ids of which at least one must fail, quick ones first
    file: name of the file that holds `old`, where others hold it too
    slow: its tests start Ray, a browser or whole processes
    hang: a time-out is how it shows
    limit_s: seconds that its tests may take
    survived_at: the version at which no test caught it
    """

    name: str
    room: str
    breaks: str
    old: str
    new: str
    tests: tuple[str, ...]
    file: str | None = None
    slow: bool = False
    hang: bool = False
    limit_s: float = 180.0
    survived_at: str | None = None


def read_table(path: Path = TABLE) -> list[Fault]:
    """All faults, in the order of the file. Raises ValueError for a table that contradicts itself."""
    faults = [Fault(**entry | {"tests": tuple(entry["tests"])}) for entry in tomllib.loads(path.read_text())["fault"]]
    names = [fault.name for fault in faults]
    for fault in faults:
        if names.count(fault.name) > 1:
            raise ValueError(f"{path.name}: the name {fault.name} is given twice.")
        if "\n" in fault.old + fault.new or fault.old == fault.new or not fault.tests:
            raise ValueError(f"{path.name}: {fault.name} needs one line, a change to it, and tests.")
    return faults


def read_sources(root: Path) -> dict[Path, str]:
    """The text of every source file below `root` in which a fault may lie."""
    return {path: path.read_text() for path in sorted((root / "rlsweep").rglob("*")) if path.suffix in SUFFIXES}


def place_of(fault: Fault, sources: dict[Path, str]) -> Path:
    """The source file that holds the fault's text. Raises StaleError unless it is there exactly once."""
    counts = {path: text.count(fault.old) for path, text in sources.items() if fault.file in (None, path.name)}
    found = {path: count for path, count in counts.items() if count}
    if sum(found.values()) != 1:
        where = ", ".join(f"{path} ({count})" for path, count in found.items()) or "nowhere"
        raise StaleError(f"{fault.name}: its text must be in the source once, and is: {where}.")
    return next(iter(found))


def check(fault: Fault, root: Path, sources: dict[Path, str]) -> None:
    """Raise StaleError unless the fault's text is in the source once and each of its tests exists."""
    place_of(fault, sources)
    for test in fault.tests:
        name, *parts = test.split("::")
        if not (root / name).exists():
            raise StaleError(f"{fault.name}: there is no {name}.")
        for part in (part.partition("[")[0] for part in parts):
            if not re.search(rf"^\s*(def|class) {re.escape(part)}\b", (root / name).read_text(), re.MULTILINE):
                raise StaleError(f"{fault.name}: {name} has no {part}.")
