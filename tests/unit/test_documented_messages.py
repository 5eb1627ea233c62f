"""Every message that a README of a room explains is one that the program still says."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
READMES = sorted(path for path in (REPOSITORY / "rlsweep").glob("*/README.md") if "When something" in path.read_text())
WILD = "…"
"""What stands in a README for any text, as in `Port … is taken`."""

SHORTEST = 5
"""Letters of a piece that says something."""


def messages(readme: Path) -> list[str]:
    """The messages in the first column of its tables of what is wrong."""
    section = readme.read_text().partition("## When something is wrong")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?`[^|]*) \|", section, flags=re.MULTILINE)
    return [message for cell in cells if "(make)" not in cell for message in re.findall(r"`([^`]+)`", cell)]


@cache
def said() -> str:
    """Every text of the source, one a line, with `…` for what is filled in."""
    texts = []
    for file in (REPOSITORY / "rlsweep").glob("**/*"):
        if file.suffix == ".py":
            texts += _texts(ast.parse(file.read_text()))
        elif file.suffix in (".js", ".html"):
            texts.append(re.sub(r"\$\{.*?\}", WILD, file.read_text()))
    return "\n".join(texts)


def _texts(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else WILD for part in node.values)
            yield "".join(str(part) for part in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def pieces(message: str) -> list[str]:
    """The parts of a message that do not depend on what it is about."""
    plain = re.sub(r"'[^']*'", WILD, message)
    parts = (part.strip(" .,:;()") for part in re.split(rf"{WILD}|\b\d+\b", plain))
    return [part for part in parts if len(part) >= SHORTEST]


@pytest.mark.parametrize("readme", READMES, ids=lambda path: str(path.relative_to(REPOSITORY).parent))
def test_documented_messages_are_said(readme: Path) -> None:
    gone = [message for message in messages(readme) if not all(piece in said() for piece in pieces(message))]
    assert not gone


def test_messages_are_found() -> None:
    assert sum(len(messages(readme)) for readme in READMES) > 40
