import os
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsweep.config import globbing
from rlsweep.config.patterns import expand
from rlsweep.config.reading import read_config_file
from rlsweep.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a_v1.yaml", "a_sweep_x.yaml", "a_sweep_y.yml", "README.md", ".hidden.yaml", "deep/er/b.json"):
        path = tmp_path / "agents" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["agents/a_sweep_*"], ["a_sweep_x.yaml", "a_sweep_y.yml"]),
        (["agents/*"], ["a_sweep_x.yaml", "a_sweep_y.yml", "a_v1.yaml"]),
        (["agents"], ["a_sweep_x.yaml", "a_sweep_y.yml", "a_v1.yaml"]),
        (["agents/**/*.json"], ["b.json"]),
        (["**/*.y*ml"], ["a_sweep_x.yaml", "a_sweep_y.yml", "a_v1.yaml"]),
        (["agents/a_[sv]*.yaml"], ["a_sweep_x.yaml", "a_v1.yaml"]),
        (["agents/a_v1.yaml", "agents/a_v?.yaml", "./agents/a_v1.yaml"], ["a_v1.yaml"]),
        (["agents/README.md"], ["README.md"]),
        (["agents/missing.yaml"], ["missing.yaml"]),
        (["agents/deep/*/../../a_v1.yaml"], ["a_v1.yaml"]),
        (["agents/*/er/*"], ["b.json"]),
    ],
)
def test_expand(folder: Path, patterns: list[str], names: list[str]) -> None:
    assert [path.name for path in expand(patterns)] == names


def test_absolute_and_home_patterns(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert expand([f"{folder}/agents/a_v*.yaml"]) == expand(["~/agents/a_v1.yaml"]) == (folder / "agents/a_v1.yaml",)


def test_a_name_with_brackets_is_taken_as_it_is(folder: Path) -> None:
    (folder / "agents/x[1].yaml").touch()
    assert [path.name for path in expand(["agents/x[1].yaml"])] == ["x[1].yaml"]


def test_links_are_followed_once_and_loops_end(folder: Path) -> None:
    for name in ("one", "two"):
        (folder / "agents" / name).symlink_to(folder / "agents")
    (folder / "agents" / "z_link.yaml").symlink_to(folder / "agents" / "a_v1.yaml")
    (folder / "agents" / "broken.yaml").symlink_to(folder / "agents" / "nowhere.yaml")
    assert [path.name for path in expand(["**/*.yaml", "agents/one/a_v1.yaml"])] == ["a_sweep_x.yaml", "a_v1.yaml"]


def test_patterns_that_match_nothing_are_all_named(folder: Path) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(ConfigError) as caught:
        expand(["agents/a_swep_*.yaml", "nowhere/*.yaml", "agents/*.md", "empty", "agents/a_v1.yaml"])
    assert caught.value.problems == (
        "No config file matches 'agents/a_swep_*.yaml'; did you mean agents/a_sweep_x.yaml?",
        "No config file matches 'nowhere/*.yaml'; folder not found: nowhere",
        "No config file matches 'agents/*.md'; agents contains a_sweep_x.yaml, a_sweep_y.yml, a_v1.yaml",
        "No config file in the folder empty; a config file ends in .yaml, .yml or .json",
    )


def test_any_depth_does_not_follow_links(folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "z.yml").touch()
    (folder / "agents" / "link").symlink_to(folder / "elsewhere")
    assert [path.name for path in expand(["agents/**/*.yml"])] == ["a_sweep_y.yml"]
    assert [path.name for path in expand(["agents/*/*.yml"])] == ["z.yml"]


def test_a_folder_that_many_ways_lead_to_is_searched_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two", "three"):
        (folder / "agents" / name).symlink_to(folder / "agents")
    searched: list[Path] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: [searched.append(path), *scandir(path)][1:])
    assert [path.name for path in expand(["agents/" + "*/" * 12 + "a_v1.yaml"])] == ["a_v1.yaml"]
    assert len(searched) <= 3 * 13  # agents, deep and er, for each part of the pattern
    searched.clear()
    assert [path.name for path in expand(["agents/" + "**/" * 500 + "b.json"])] == ["b.json"]
    assert len(searched) <= 3 * 501


names = st.sampled_from(["a", "b", "ab", ".c", "x.yaml", "ax.yaml", "b.json"])
parts = st.sampled_from(["a", "*", "?", "a*", "[ab]", "[!a]*", "*.yaml", "**", ".*"])


@settings(max_examples=150, derandomize=True, database=None, deadline=None)
@given(
    files=st.lists(st.lists(names, min_size=1, max_size=4), max_size=8),
    pattern=st.lists(parts, min_size=1, max_size=4).filter(lambda parts: parts[-1] != "**" and parts[0] != "a"),
)
def test_without_links_the_matches_are_pathlibs(files: list[list[str]], pattern: list[str]) -> None:
    with TemporaryDirectory() as name:
        root = Path(name)
        for file in files:
            with suppress(FileExistsError, NotADirectoryError):
                (root / "/".join(file)).parent.mkdir(parents=True, exist_ok=True)
                (root / "/".join(file)).touch()
        found = list(globbing.matches(root, tuple(pattern)))
        assert sorted(found) == sorted(set(root.glob("/".join(pattern))))


def test_no_pattern() -> None:
    with pytest.raises(ConfigError, match="No config file given"):
        expand([])


def test_patterns_that_cannot_be_read(folder: Path) -> None:
    (folder / "loop.yaml").symlink_to("loop.yaml")
    assert expand(["loop.yaml"]) == (Path("loop.yaml"),)
    too_long = ": the pattern has 10000 characters, at most 4096 are allowed; name a folder instead"
    with pytest.raises(ConfigError) as caught:
        expand(["x" * 300, "a\0b*.yaml", "*" * 10_000, "agents/**.yaml", "~nobody_of_this_name/*.yaml"])
    assert caught.value.problems == (
        f"{'x' * 300}: cannot be read: File name too long",
        "a\\x00b*.yaml: a file name cannot contain NUL",
        f"{'*' * 500} … {('*' * 500 + too_long)[-500:]}",
        "agents/**.yaml: ** must stand alone between slashes, as in agents/**/*.yaml",
        "No config file matches '~nobody_of_this_name/*.yaml'; folder not found: ~nobody_of_this_name",
    )


@pytest.mark.parametrize("pattern", ["agents", "agents/*", "**/a_*.yaml"])
def test_a_link_that_leads_nowhere_is_named(folder: Path, pattern: str) -> None:
    link = folder / "agents" / "a_sweep_z.yaml"
    link.symlink_to("nowhere.yaml")
    named: list[str] = []
    assert link.name not in [path.name for path in expand([pattern], named.append)]
    assert named == ["agents/a_sweep_z.yaml is a link to 'nowhere.yaml', which does not exist: it is left out"]


@pytest.mark.parametrize("pattern", ["agents/*_z.yaml", "agents/a_sweep_z.yaml", "only"])
def test_only_a_link_that_leads_nowhere(folder: Path, pattern: str) -> None:
    (folder / "only").mkdir()
    for place in ("agents", "only"):
        (folder / place / "a_sweep_z.yaml").symlink_to("nowhere.yaml")
    with pytest.raises(ConfigError, match=r"a_sweep_z\.yaml is a link to 'nowhere\.yaml', which does not exist$"):
        read_all(pattern)


def read_all(pattern: str) -> None:
    for path in expand([pattern]):
        read_config_file(path)
