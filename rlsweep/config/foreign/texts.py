"""Files that are almost JSON or YAML: JSON with comments, and several YAML documents in one file."""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from rlsweep.config.foreign.blocks import Answer, file_of
from rlsweep.config.text_values import ConfigLoader, TextError, parse_json, parse_yaml

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_MAX_DOCUMENTS = 12


def json_with_comments(text: str) -> tuple[Any, str] | None:
    """The values of JSON with comments or trailing commas, and the same as YAML, which has both; None if it is none."""
    try:
        pieces = list(_pieces(text))
        uncommented = "".join(" " if piece.startswith("/") else piece for piece in pieces)
        bare = "".join(
            piece if piece.startswith('"') else _TRAILING_COMMA.sub(r"\1", piece) for piece in _pieces(uncommented)
        )
        if bare == text:
            return None
        data = parse_json(bare)
    except TextError:
        return None
    around = zip(["", *pieces], pieces, [*pieces[1:], ""], strict=False)
    written = "".join(
        _as_comment(piece, before, after) if piece.startswith("/") else piece for before, piece, after in around
    )
    as_yaml = "\n".join(line.replace("\t", "    ").rstrip() for line in written.strip().splitlines())
    try:
        keeps_all = parse_yaml(as_yaml) == data
    except TextError:
        keeps_all = False
    return data, as_yaml if keeps_all else json.dumps(data, indent=2, ensure_ascii=False)


def several_documents(text: str) -> Answer | None:
    """What to write instead of several YAML documents; None if the text has one, or cannot be read."""
    parts = list(_documents(text))
    if len(parts) < 2:
        return None
    names: dict[str, None] = {}
    blocks = []
    for number, part in enumerate(parts[:_MAX_DOCUMENTS], 1):
        name = _file_name(part, number)
        while name in names:
            name = f"{name.removesuffix('.yaml')}_{number}.yaml"
        names[name] = None
        blocks.append(f"# {name}\n{part}")
    if len(parts) > _MAX_DOCUMENTS:
        blocks.append(f"# … and {len(parts) - _MAX_DOCUMENTS} more documents")
    problem = f"holds {len(parts)} YAML documents, and a config file holds one; write each to a file of its own"
    return Answer(problem, tuple(blocks))


def _pieces(text: str) -> Iterator[str]:
    """Split JSON into texts in quotes, comments, and what is between them, in one pass.

    Raises TextError if a quote or a comment does not end.
    """
    begin = position = 0
    while (found := re.compile(r'["/]').search(text, position)) is not None:
        place = found.start()
        end = _end_of(text, place)
        if end is None:
            position = place + 1
            continue
        yield text[begin:place]
        yield text[place:end]
        begin = position = end
    yield text[begin:]


def _end_of(text: str, place: int) -> int | None:
    """Where the text in quotes or the comment that begins at `place` ends; None if a lone slash is there."""
    if text[place] == '"':
        if (found := _STRING.match(text, place)) is None:
            raise TextError("a quote does not end")
        return found.end()
    if text.startswith("//", place):
        end = text.find("\n", place)
        return len(text) if end < 0 else end
    if text.startswith("/*", place):
        end = text.find("*/", place + 2)
        if end < 0:
            raise TextError("a comment does not end")
        return end + 2
    return None


def _as_comment(comment: str, before: str, after: str) -> str:
    """A comment as YAML's: a space comes before it, and it ends with its line."""
    space = " " if before[-1:].strip() else ""
    if comment.startswith("//"):
        return f"{space}# {comment[2:].strip()}"
    lines = [line.strip().lstrip("*").strip() for line in comment[2:-2].splitlines()]
    ends_line = re.match(r"[ \t]*\n", after)
    return space + "\n".join(f"# {line}" for line in lines if line) + ("" if ends_line else "\n")


def _documents(text: str) -> Iterator[str]:
    """The text of each document, without its `---` and `...` lines."""
    lines = text.splitlines()
    try:
        starts = [
            event.start_mark.line
            for event in yaml.parse(text, Loader=ConfigLoader)
            if isinstance(event, yaml.DocumentStartEvent) and event.start_mark is not None
        ]
    except yaml.YAMLError:
        return
    for begin, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        part = [re.sub(r"^---[ \t]*", "", line) for line in lines[begin:end] if not re.match(r"(\.\.\.|%)", line)]
        if document := "\n".join(part).strip("\n"):
            yield document


def _file_name(text: str, number: int) -> str:
    try:
        data = parse_yaml(text)
        if isinstance(data, dict) and {"agent_id", "version"} <= data.keys():
            name = file_of(data)
            if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,200}", name):
                return name
    except TextError:
        pass
    return f"config_{number}.yaml"
