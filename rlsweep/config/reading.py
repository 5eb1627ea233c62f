"""Read a config file into a plain dictionary, or raise one clear ConfigError."""

import math
import os
import re
import shlex
import stat
from collections import deque
from itertools import islice
from pathlib import Path
from typing import Any

from rlsweep.config.foreign.kinds import answer_to_data, answer_to_text
from rlsweep.config.limits import MAX_BYTES, MAX_DEPTH, MAX_NEIGHBOURS, MAX_TOLD, MAX_VALUES
from rlsweep.config.nearest import nearest
from rlsweep.config.text_values import TextError, parse_json, parse_yaml
from rlsweep.errors import ConfigError

EXTENSIONS = (".yaml", ".yml", ".json")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # all but tab and line ends
_MAX_LISTED = 5


def read_config_file(path: Path, *, kind: str = "Agent") -> dict[str, Any]:
    """Read a config file as `read_any_file` does; also refuse a file of another tool, with what to write instead."""
    data = read_any_file(path, kind=kind)
    if answer := answer_to_data(data, path.stem):
        typed = f"; type: rlsweep import {shlex.quote(str(path))} --write DIR" if answer.to_import else ""
        raise ConfigError(f"{path}: {answer.problem}{typed}", pasted=answer.blocks)
    return data


def read_any_file(path: Path, *, kind: str) -> dict[str, Any]:
    """Read a YAML or JSON config file and return its values as JSON types; `kind` is that of messages, such as Agent.

    Raises ConfigError with one or more problems: a missing or unreadable file, an extension other than .yaml, .yml
    and .json, a file that is not UTF-8 or over 1 MiB, malformed text (with line and column), a duplicate key, a root
    that is not a mapping, values that the database cannot store (not finite, beyond 64 bits), and control characters,
    which could change a terminal.
    """
    if not is_plain_line(str(path)):
        raise ConfigError(f"{str(path)!r}: a config file's path must be one line of printable UTF-8 text")
    data = _parse(path, read_text(path, kind))
    if not isinstance(data, dict):
        found = "the file is empty" if data is None else f"its root is a {type(data).__name__}"
        raise ConfigError(f"Config file must contain a dictionary/object: {path} ({found})")
    if problems := value_problems(data):
        raise ConfigError(*(f"{path}: {problem}" for problem in problems))
    return data


def read_text(path: Path, kind: str = "Agent") -> str:
    """Return the text of a config file. Raises ConfigError for a pipe, a device, a folder, and a file over 1 MiB."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ConfigError(f"{path}: is a folder, not a config file")
        if path.suffix.lower() not in EXTENSIONS:
            raise ConfigError(f"{path}: a config file must end in .yaml, .yml or .json")
        if not stat.S_ISREG(mode):
            raise ConfigError(f"{path}: is not a regular file")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as exc:
        if problem := dangling(path):
            raise ConfigError(f"{kind} config file not found: {problem}") from exc
        raise ConfigError(f"{kind} config file not found: {path}{files_in(path.parent, near=path.name)}") from exc
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read: {exc.strerror}") from exc
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path}: is larger than 1 MiB")
    return _decode(path, content)


def parse_value(text: str, *, key: str = "") -> Any:
    """Read the value of a `KEY=VALUE` override as in a config file; raise ValueError with the problem.

    key: dotted; a value for each of several env steps is read only where it is given
    """
    if found := _UNPRINTABLE.search(text):
        raise ValueError(f"contains an unprintable character, {found[0]!r}")
    try:
        value = parse_yaml(text, key=key)
    except TextError as exc:
        raise ValueError(f"{text!r} cannot be read: {exc.problem}") from exc
    if problems := value_problems(value):
        raise ValueError(problems[0])
    return value


def is_plain_line(text: str) -> bool:
    """Whether `text` is one line that can be stored, and printed without effect on the terminal."""
    return _text_problem(text) is None and not re.search(r"[\t\n\r]", text)


def value_problems(data: Any) -> list[str]:
    """Return which values of JSON-like `data` cannot be stored or printed, as `key: problem`; the first MAX_TOLD."""
    problems: list[str] = []
    pending = deque[tuple[str, Any, int]]([("", data, 1)])
    found = 1
    while pending:
        key, value, depth = pending.popleft()
        if depth > MAX_DEPTH:
            return [f"nested deeper than {MAX_DEPTH} levels"]
        found += len(value) if isinstance(value, dict | list) else 0
        if found > MAX_VALUES:  # checked before the loop builds a key for each value
            return [f"contains more than {MAX_VALUES} values"]
        if problem := _scalar_problem(value):
            problems.append(f"{key}: {problem}" if key else problem)
        elif isinstance(value, dict):
            problems += [f"key {name!r} {problem}" for name in value if (problem := _text_problem(name))]
            pending += [(f"{key}.{name}" if key else name, child, depth + 1) for name, child in value.items()]
        elif isinstance(value, list):
            pending += [(f"{key}[{index}]", child, depth + 1) for index, child in enumerate(value)]
    if further := problems[MAX_TOLD:]:
        return [*problems[:MAX_TOLD], f"further problems: {len(further)}"]
    return problems


def files_in(folder: Path, *, near: str) -> str:
    """Return a hint for the missing file `near`: the most similar config file of the folder, or a list of them."""
    try:
        entries = sorted(islice(folder.iterdir(), MAX_NEIGHBOURS))
    except (FileNotFoundError, NotADirectoryError):
        return f"; folder not found: {folder}"
    except OSError as exc:
        return f"; {folder} cannot be read: {exc.strerror}"
    names = [entry.name for entry in entries if entry.suffix.lower() in EXTENSIONS and not entry.name.startswith(".")]
    if match := nearest(near, names):
        return f"; did you mean {folder / match}?"
    listed = ", ".join(names[:_MAX_LISTED]) + (", …" if len(names) > _MAX_LISTED else "")
    return f"; {folder} contains {listed or 'no config file'}"


def dangling(path: Path) -> str | None:
    """Say that `path` is a link to nowhere, as a clause; None if it is no such link."""
    if not path.is_symlink() or path.exists():
        return None
    return f"{path} is a link to {os.readlink(path)!r:.300}, which does not exist"


def _scalar_problem(value: Any) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return f"must be a finite number, got {value}"
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "does not fit in a 64-bit integer"
    return _text_problem(value) if isinstance(value, str) else None


def _text_problem(text: str) -> str | None:
    if _UNSTORABLE.search(text):
        return "contains a character that cannot be stored (NUL or a lone surrogate)"
    if found := _CONTROL.search(text):
        return f"contains a control character, {found[0]!r}; remove it"
    return None


def _decode(path: Path, content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise ConfigError(f"{path}: line {line}: is not UTF-8 text; save the file as UTF-8") from exc
    if found := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        raise ConfigError(f"{path}: line {line}, column {column}: contains an unprintable character, {found[0]!r}")
    return text


def _parse(path: Path, text: str) -> Any:
    form, parse = ("JSON", parse_json) if path.suffix.lower() == ".json" else ("YAML", parse_yaml)
    try:
        return parse(text)
    except TextError as exc:
        if answer := answer_to_text(text, exc.problem, is_json=form == "JSON", stem=path.stem):
            raise ConfigError(f"{path}: {answer.problem}", pasted=answer.blocks) from exc
        where = hint = ""
        if exc.line is not None and exc.column is not None:
            where = f"line {exc.line}, column {exc.column}: "
            rest_of_line = "".join(text.splitlines()[exc.line - 1 : exc.line])[exc.column - 1 :]
            hint = "; indent with spaces, not with tabs" if rest_of_line.startswith("\t") else ""
        raise ConfigError(f"{path}: {where}malformed {form}: {exc.problem}{hint}") from exc
