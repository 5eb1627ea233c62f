"""A config file → a plain dictionary, or one clear ConfigError."""

import math
import re
import stat
from pathlib import Path
from typing import Any

from rlsweep.config.nearest import nearest
from rlsweep.config.text_values import MAX_DEPTH, MAX_VALUES, TextError, parse_json, parse_yaml
from rlsweep.errors import ConfigError

EXTENSIONS = (".yaml", ".yml", ".json")
MAX_BYTES = 2**20
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_MAX_LISTED = 5


def read_config_file(path: Path, *, kind: str = "Agent") -> dict[str, Any]:
    """Read a YAML or JSON config file, whose values come back as JSON's types; `kind` is Agent or Base.

    Raises ConfigError with one or more problems: a missing or unreadable file, another extension than .yaml, .yml
    and .json, a file that is no UTF-8 or over 1 MiB, malformed text (with line and column), a key given twice,
    a root that is no mapping, and values that no record could hold (not finite, beyond 64 bits, unprintable).
    """
    if _unstorable(str(path)):
        raise ConfigError(f"{str(path)!r}: a config file's path must be UTF-8 text, as its record is")
    data = _parse(path, _read_text(path, kind))
    if not isinstance(data, dict):
        found = "the file is empty" if data is None else f"its root is a {type(data).__name__}"
        raise ConfigError(f"Config file must contain a dictionary/object: {path} ({found})")
    if problems := value_problems(data):
        raise ConfigError(*(f"{path}: {problem}" for problem in problems))
    return data


def parse_value(text: str) -> Any:
    """Read the value of a `KEY=VALUE` override as a config file would; ValueError says what is wrong."""
    try:
        value = parse_yaml(text)
    except TextError as exc:
        raise ValueError(f"{text!r} cannot be read: {exc.problem}") from exc
    if problems := value_problems(value):
        raise ValueError(problems[0])
    return value


def value_problems(data: Any) -> list[str]:
    """Say what in JSON-like `data` no record could hold, each as `key: what is wrong`."""
    problems: list[str] = []
    pending: list[tuple[str, Any, int]] = [("", data, 1)]
    visited = 0
    while pending:
        key, value, depth = pending.pop()
        visited += 1
        if depth > MAX_DEPTH:
            return [f"nested deeper than {MAX_DEPTH} levels"]
        if visited > MAX_VALUES:
            return [f"holds more than {MAX_VALUES} values"]
        if problem := _scalar_problem(value):
            problems.append(f"{key}: {problem}" if key else problem)
        elif isinstance(value, dict):
            problems += [f"key {name!r} holds a character that cannot be stored" for name in value if _unstorable(name)]
            pending += [(f"{key}.{name}" if key else name, child, depth + 1) for name, child in value.items()]
        elif isinstance(value, list):
            pending += [(f"{key}[{index}]", child, depth + 1) for index, child in enumerate(value)]
    return problems


def files_beside(path: Path) -> str:
    """Say which config file a missing one most likely meant, or what else lies where it was looked for."""
    try:
        entries = sorted(path.parent.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return f"; there is no folder {path.parent}"
    except OSError as exc:
        return f"; {path.parent} cannot be read: {exc.strerror}"
    names = [entry.name for entry in entries if entry.suffix.lower() in EXTENSIONS and not entry.name.startswith(".")]
    if match := nearest(path.name, names):
        return f"; did you mean {path.parent / match}?"
    listed = ", ".join(names[:_MAX_LISTED]) + (", …" if len(names) > _MAX_LISTED else "")
    return f"; {path.parent} holds {listed or 'no config file'}"


def _scalar_problem(value: Any) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return f"must be a finite number, got {value}"
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "is an integer beyond 64 bits"
    if isinstance(value, str) and _unstorable(value):
        return "holds a character that cannot be stored (NUL, or half of a surrogate pair)"
    return None


def _unstorable(text: str) -> bool:
    return _UNSTORABLE.search(text) is not None


def _read_text(path: Path, kind: str) -> str:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ConfigError(f"{path}: is a folder, not a config file")
        if path.suffix.lower() not in EXTENSIONS:
            raise ConfigError(f"{path}: a config file must end in .yaml, .yml or .json")
        if not stat.S_ISREG(mode):
            raise ConfigError(f"{path}: is no regular file")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise ConfigError(f"{kind} config file not found: {path}{files_beside(path)}") from exc
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read: {exc.strerror}") from exc
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path}: is over 1 MiB, which no config needs")
    return _decode(path, content)


def _decode(path: Path, content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise ConfigError(f"{path}: line {line}: is no UTF-8 text; save the file as UTF-8") from exc
    if found := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        raise ConfigError(f"{path}: line {line}, column {column}: holds an unprintable character, {found[0]!r}")
    return text


def _parse(path: Path, text: str) -> Any:
    form, parse = ("JSON", parse_json) if path.suffix.lower() == ".json" else ("YAML", parse_yaml)
    try:
        return parse(text)
    except TextError as exc:
        where = hint = ""
        if exc.line is not None and exc.column is not None:
            where = f"line {exc.line}, column {exc.column}: "
            rest_of_line = "".join(text.splitlines()[exc.line - 1 : exc.line])[exc.column - 1 :]
            hint = "; indent with spaces, not with tabs" if rest_of_line.startswith("\t") else ""
        raise ConfigError(f"{path}: {where}malformed {form}: {exc.problem}{hint}") from exc
