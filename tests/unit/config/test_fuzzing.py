"""Whatever a file, an override or a pattern holds: a config, or a ConfigError that a terminal can show."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlsweep.config.limits import MAX_TOLD
from rlsweep.config.loading import load_agent, load_training
from rlsweep.config.overrides import parse_overrides
from rlsweep.config.patterns import expand
from rlsweep.errors import ConfigError

CONFIG = Path(__file__).parents[3] / "config"
SHIPPED = {
    "agent": [path.read_bytes() for path in sorted(CONFIG.glob("agents/*.yaml"))],
    "base": [path.read_bytes() for path in sorted(CONFIG.glob("training/*.yaml"))],
}
HOSTILE = (
    # bytes that are no text, or that a terminal or an editor takes as something else
    b"\0", b"\xff", b"\xef\xbb\xbf", b"\xfe\xff", b"\x1b[31m", b"\t", b"\r\n", b"\xe2\x80\xa8", b"\xed\xa0\x80", b"\\",
    # YAML's and JSON's own signs
    b"&a", b"*a", b"<<: *a", b"<<: {x: 1}", b"!!python/object:os.system", b"!!binary", b"!!set", b"!", b"? ", b": ",
    b"- ", b"[", b"]", b"{", b"}", b",", b"|", b">", b"'", b'"', b"#", b"%TAG ! x", b"---\n", b"...\n", b"\n", b"\n ",
    # values
    b".nan", b"-.inf", b"1e999", b"9" * 10_000, b"[" * 60, b"{a: " * 60, b"linear_nan", b"linear_1e999", b"NaN", b"~",
    b"null", b"yes", b"1:30", b"2024-01-01", b"0x10", b"x" * 300, b"''", b"mcts:0", b"~/a.zip", b"a" * 300 + b".zip",
    b"no:Such", b"open_spiel/", b'"\\u001b"', b'"\\0"', b'"\\ud800"', b'"\\N"',
    # whole lines
    b"gamma: 1\n", b"name: x\n", b"'\\0': 1\n", b'"\\e": 1\n', b"1: 2\n", b'"gamma": 1,\n',
)  # fmt: skip


def fuzzed(inputs: int) -> settings:
    """So many inputs, the same ones in every run."""
    return settings(
        max_examples=inputs,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def as_json(content: bytes) -> bytes:
    return json.dumps(yaml.safe_load(content), indent=1).encode()


@st.composite
def mutated(draw: st.DrawFn, shipped: list[bytes]) -> bytes:
    """A shipped config with pieces cut out, doubled, turned round or replaced."""
    content = draw(st.sampled_from(shipped))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(start + 40, len(content))))
        cut = content[start:end]
        content = content[:start] + draw(st.sampled_from([b"", cut + cut, cut[::-1], *HOSTILE])) + content[end:]
    return content


@st.composite
def hostile_line(draw: st.DrawFn, shipped: list[bytes]) -> bytes:
    """A shipped config in which one line has another value, or another key."""
    lines = draw(st.sampled_from(shipped)).splitlines()
    index = draw(st.integers(0, len(lines) - 1))
    key, colon, value = lines[index].partition(b": ")
    piece = b"".join(draw(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=2)))
    lines[index] = key + colon + piece if draw(st.booleans()) else piece + colon + value
    return b"\n".join(lines)


any_text = st.text(max_size=20)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=8,
)
json_object = st.dictionaries(
    st.sampled_from(["agent_id", "name", "version", "ppo", "network", "environment", "hyperparameters"]) | any_text,
    any_json,
    max_size=6,
).map(lambda data: json.dumps(data).encode())
yaml_pieces = st.lists(st.sampled_from(HOSTILE) | st.binary(max_size=3), max_size=25).map(b"".join)


def contents(shipped: list[bytes]) -> st.SearchStrategy[bytes]:
    return mutated(shipped) | hostile_line(shipped) | json_object | yaml_pieces | st.binary(max_size=100)


CONTENTS = {
    (kind, suffix): contents([write(content) for content in shipped])
    for kind, shipped in SHIPPED.items()
    for suffix, write in ((".yaml", bytes), (".json", as_json))
}


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
@fuzzed(600)
@given(data=st.data())
def test_any_agent_config(tmp_path: Path, suffix: str, data: st.DataObject) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data.draw(CONTENTS["agent", suffix]))
    judge(lambda: load_agent(path, {}, ()), names=str(path))


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
@fuzzed(400)
@given(data=st.data())
def test_any_base_config(tmp_path: Path, suffix: str, data: st.DataObject) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data.draw(CONTENTS["base", suffix]))
    judge(lambda: load_training(path, ()), names=str(path))


@fuzzed(600)
@given(
    key=st.sampled_from(["gamma", "net_arch", "environment", "opponent", "environment.kwargs", "environment.kwargs.x"])
    | st.text(max_size=12)
    | st.text(".ax\0\x1b", max_size=120).map("environment.kwargs.".__add__),
    value=st.text(max_size=20) | yaml_pieces.map(os.fsdecode),
)
def test_any_override(key: str, value: str) -> None:
    def use() -> None:
        load_training(None, parse_overrides([f"{key}={value}"]))

    judge(use, names="--set ")


@fuzzed(400)
@given(
    pattern=st.lists(
        st.sampled_from(["*", "**", "?", "[", "]", "[!a]", "[z-a]", "/", "..", ".", "~", "\0", "\x1b", "\udcff"])
        | st.sampled_from(["a", ".yaml", "loop", "pipe", "deep", "*/" * 300, "**/" * 300, "x" * 300]),
        max_size=8,
    ).map("".join)
)
def test_any_pattern(tree: Path, pattern: str) -> None:
    judge(lambda: expand([f"{tree}/{pattern}"]), names="")


def judge(use: Callable[[], Any], *, names: str) -> None:
    """Either nothing is wrong, or all that is wrong is told in few and short lines, each of which says where it is."""
    problems = problems_of(use)
    assert len(problems) <= 2 * (MAX_TOLD + 1)  # those of a base config, and of the hyperparameters in it
    for problem in problems:
        assert names in problem
        assert len(problem) <= 1003
        assert len(problem.splitlines()) == 1
        assert not re.search("[\0-\x1f\x7f-\x9f\ud800-\udfff]", problem)


def problems_of(use: Callable[[], Any]) -> tuple[str, ...]:
    try:
        use()
    except ConfigError as exc:
        return exc.problems
    return ()


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders that lead back to themselves, and files that are none."""
    root = tmp_path_factory.mktemp("tree")
    (root / "deep" / "er" / "still").mkdir(parents=True)
    (root / "deep" / "a.yaml").touch()
    for name in ("loop1", "loop2", "deep/loop3"):
        (root / name).symlink_to(root)
    (root / "self.yaml").symlink_to(root / "self.yaml")
    (root / "nowhere.yaml").symlink_to(root / "gone.yaml")
    os.mkfifo(root / "pipe.yaml")
    (root / "\x1b[31m.yaml").touch()
    return root
