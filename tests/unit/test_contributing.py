"""CONTRIBUTING names what is there: every path, every room and module, and who may import whom."""

import re
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
CONTRIBUTING = (REPOSITORY / ".github" / "CONTRIBUTING.md").read_text()
PATHS = sorted(
    set(re.findall(r"(?<![\w/.])((?:rlsweep|tests|config|cluster|dashboards|\.ci)/[\w./-]*[\w/])", CONTRIBUTING))
)


@pytest.mark.parametrize("path", PATHS)
def test_every_path_exists(path: str) -> None:
    assert (REPOSITORY / path).exists()


def test_paths_are_found() -> None:
    assert len(PATHS) > 20
    assert "rlsweep/store/sql" in PATHS


def test_every_room_and_module_is_named() -> None:
    rooms = CONTRIBUTING.partition("## The rooms")[2].partition("\n## ")[0]
    package = REPOSITORY / "rlsweep"
    expected = {file.parent.name for file in package.glob("*/__init__.py")}
    assert set(re.findall(r"^\| `(\w+)` \|", rooms, flags=re.MULTILINE)) == expected
    modules = {file.name for file in package.glob("*.py") if not file.name.startswith("__")}
    assert set(re.findall(r"`(\w+\.py)`\s\(", rooms)) == modules


def test_the_import_directions_are_those_that_lint_holds() -> None:
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    drawn = CONTRIBUTING.partition("## The rooms")[2].partition("\n```\n")[2].partition("```")[0]
    assert drawn.splitlines() == layers


def test_twelve_changes_are_explained() -> None:
    rows = re.findall(r"^\| .* \|$", CONTRIBUTING.partition("## Where do I")[2], flags=re.MULTILINE)
    assert len(rows) >= 2 + 12 - 1
    assert all("`" in row for row in rows[1:])
