import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlsweep.config import limits
from rlsweep.config.reading import parse_value, read_config_file
from rlsweep.errors import ConfigError


def written(folder: Path, text: str | bytes, name: str = "a.yaml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def problem(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_config_file(path)
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3e-4", 3e-4),
        ("3.0e-4", 3e-4),
        ("1E6", 1e6),
        ("+.5", 0.5),
        ("5.", 5.0),
        ("1_000_000", 1_000_000),
        ("010", 10),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("linear_3.0e-4", "linear_3.0e-4"),
        ("mcts:200", "mcts:200"),
        ("'3e-4'", "3e-4"),
        ("yes", True),
        ("null", None),
        ("!!float 1e6", 1e6),
        ("!!str 1", "1"),
        ("e", "e"),
        (".", "."),
    ],
)
def test_yaml_scalars(tmp_path: Path, text: str, value: Any) -> None:
    read = read_config_file(written(tmp_path, f"key: {text}\n"))["key"]
    assert read == value
    assert type(read) is type(value)


def test_pyyaml_itself_is_untouched() -> None:
    assert yaml.safe_load("3e-4") == "3e-4"
    assert yaml.safe_load("1:30") == 90


@pytest.mark.parametrize("name", ["a.yaml", "a.yml", "a.json", "A.YAML"])
def test_extensions(tmp_path: Path, name: str) -> None:
    assert read_config_file(written(tmp_path, '\ufeff{"gamma": 0.9}', name)) == {"gamma": 0.9}


def test_merge_keys_may_be_overridden(tmp_path: Path) -> None:
    text = "s: {t: &b {<<: &a {x: 1, y: 2}, x: 3}}\nc: {<<: *b, y: 4}\n"
    data = read_config_file(written(tmp_path, text))
    assert data == {"s": {"t": {"x": 3, "y": 2}}, "c": {"x": 3, "y": 4}}


def test_missing_file_says_what_is_near(tmp_path: Path) -> None:
    written(tmp_path, "a: 1", "ppo_agent_v1.yaml")
    said = problem(tmp_path / "ppo_agnet_v1.yaml")
    assert said.startswith(f"Agent config file not found: {tmp_path}/ppo_agnet_v1.yaml; did you mean ")
    assert said.endswith("ppo_agent_v1.yaml?")
    assert problem(tmp_path / "zzz.json").endswith(f"; {tmp_path} contains ppo_agent_v1.yaml")
    assert problem(tmp_path / "no" / "a.yaml").endswith(f"; folder not found: {tmp_path}/no")
    assert "Agent config file not found" in problem(tmp_path / "ppo_agent_v1.yaml" / "a.yaml")
    with pytest.raises(ConfigError, match=r"^Base config file not found: "):
        read_config_file(tmp_path / "zzz.yaml", kind="Base")


def test_files_that_are_none(tmp_path: Path) -> None:
    assert problem(tmp_path).endswith("is a folder, not a config file")
    assert problem(written(tmp_path, "a: 1", "a.toml")).endswith("must end in .yaml, .yml or .json")
    os.mkfifo(tmp_path / "pipe.yaml")
    assert problem(tmp_path / "pipe.yaml").endswith("is not a regular file")
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    assert "cannot be read: Too many levels of symbolic links" in problem(tmp_path / "loop.yaml")
    assert "cannot be read: File name too long" in problem(tmp_path / ("x" * 300 + ".yaml"))
    assert problem(written(tmp_path, b"# " + b"x" * 2**20)).endswith("is larger than 1 MiB")


def test_a_path_that_no_record_could_hold(tmp_path: Path) -> None:
    for name in ("a\nb.yaml", "\x1b[2J.yaml", "\x9b2J.yaml"):
        assert "a config file's path must be one line of printable UTF-8 text" in problem(
            written(tmp_path, "a: 1", name)
        )
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.yaml"))
    path.touch()
    assert "\\udcff.yaml': a config file's path must be one line of printable UTF-8 text" in problem(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_file(tmp_path: Path) -> None:
    path = written(tmp_path, "a: 1")
    path.chmod(0)
    assert problem(path).endswith("cannot be read: Permission denied")


@pytest.mark.parametrize(
    ("text", "found"),
    [("", "the file is empty"), ("- 1\n", "its root is a list"), ("word", "its root is a str"), ("null", "empty")],
)
def test_root_must_be_a_mapping(tmp_path: Path, text: str, found: str) -> None:
    said = problem(written(tmp_path, text))
    assert said.startswith(f"Config file must contain a dictionary/object: {tmp_path}/a.yaml (")
    assert found in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: c: d\n", "line 2, column 5: malformed YAML: mapping values are not allowed in this context"),
        ("a: [1, 2\nb: 3\n", "line 2, column 2: malformed YAML: "),
        ("a:\n\tb: 1\n", "indent with spaces, not with tabs"),
        ("a: 1\nb: 2\na: 3\n", "line 3, column 1: malformed YAML: key 'a' is given twice, first on line 1"),
        ("n: {x: 1,\n x: 2}\n", "line 2, column 2: malformed YAML: key 'x' is given twice, first on line 1"),
        ("1: x\n", "line 1, column 1: malformed YAML: key 1 must be text; put it in quotes"),
        ("on: x\n", "key on must be text"),
        ("? [1]\n: x\n", "a key must be text"),
        (
            "a: 1\n---\nb: 2\n",
            "a.yaml: holds 2 YAML documents, and a config file holds one; write",
        ),
        ("a: !!python/object/apply:os.system [ls]\n", "the tag !!python/object/apply:os.system has no place in a"),
        ("a: !!timestamp 2024-01-01\n", "the tag !!timestamp has no place in a config"),
        ("a: !!binary aGk=\n", "the tag !!binary has no place in a config"),
        ("a: !custom 1\n", "the tag !custom has no place in a config"),
        ("a: !!int x\n", "'x' is no integer"),
        ("a: !!float x\n", "'x' is no number"),
        ("a: !!bool maybe\n", "'maybe' is neither true nor false"),
        ("a: &x [*x]\n", "*x refers to itself"),
        ("a: *x\n", "found undefined alias"),
        ("a: " + "9" * 5000, "an integer of 5000 digits is too large"),
        ("a: " + "[" * 10_000, "nested deeper than 50 levels"),
        ("a: [" + "0, " * 10_001 + "]", "stands for more than 10000 values"),
        ("a: \x07\n", "line 1, column 4: contains an unprintable character, '\\x07'"),
        (
            "a: 1\n" + "k" * 101 + ": 2",
            "line 2, column 1: malformed YAML: key 'kkkkkkkkkkkkkkkkkkkk'… has 101 characters",
        ),
        ("# tags\n%TAG ! tag:x,2000:\n---\na: 1", "line 2, column 1: malformed YAML: %TAG has no place in a config"),
        (
            "a: &a " + "x" * 2**19 + "\nb: *a\nc: *a",
            "line 2, column 4: malformed YAML: stands for more than 1048576 char",
        ),
    ],
)
def test_malformed_yaml(tmp_path: Path, text: str, said: str) -> None:
    assert said in problem(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1,\n "b" 2}', "line 2, column 6: malformed JSON: Expecting ':' delimiter"),
        (
            '{"a": 1,\n"b": {},\n"a": 2}',
            "malformed JSON: key 'a' is given twice in one object (it stands on lines 1, 3",
        ),
        ('{"a": ' + "9" * 5000 + "}", "an integer of 5000 digits is too large"),
        ('{"a": ' + "[" * 100_000 + "}", "malformed JSON"),
        ('{"a": ' + "[" * 60 + "]" * 60 + "}", "nested deeper than 50 levels"),
        ('{"a": [' + "0," * 10_001 + "0]}", "contains more than 10000 values"),
        ('{"a": 1, "' + "k" * 101 + '": 2}', "malformed JSON: key 'kkkkkkkkkkkkkkkkkkkk'… has 101 characters"),
        ("[1]", "Config file must contain a dictionary/object"),
    ],
)
def test_malformed_json(tmp_path: Path, text: str, said: str) -> None:
    assert said in problem(written(tmp_path, text, "a.json"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: {b: [1, .nan]}", "a.b[1]: must be a finite number, got nan"),
        ("a: -.inf", "a: must be a finite number, got -inf"),
        ("a: 1e999", "a: must be a finite number, got inf"),
        ("a: 9223372036854775808", "a: does not fit in a 64-bit integer"),
        ('a: "x\\0y"', "a: contains a character that cannot be stored"),
        ('"x\\0y": 1', "key 'x\\x00y' contains a character that cannot be stored"),
        ('a: "x\\e[2J"', "a: contains a control character, '\\x1b'; remove it"),
        ('"x\\b": 1', "key 'x\\x08' contains a control character, '\\x08'; remove it"),
    ],
)
def test_values_that_no_record_could_hold(tmp_path: Path, text: str, said: str) -> None:
    assert said in problem(written(tmp_path, text))


@pytest.mark.parametrize(
    ("limit", "text_of"),
    [
        (limits.MAX_BYTES, lambda size: "a: 1\n" + "#" * (size - 5)),
        (limits.MAX_TEXT, lambda size: f"a: &a {'x' * 2**18}\nb: [*a, {'y' * (size - 2**19 - 2)}]"),
        (limits.MAX_VALUES, lambda size: "a: [" + "1, " * (size - 3) + "]"),
        (limits.MAX_DEPTH, lambda size: "a: " + "[" * (size - 1) + "]" * (size - 1)),
        (limits.MAX_KEY, lambda size: "k" * size + ": 1"),
    ],
    ids=["bytes", "text", "values", "depth", "key"],
)
def test_what_is_just_as_large_as_it_may_be(tmp_path: Path, limit: int, text_of: Callable[[int], str]) -> None:
    read_config_file(written(tmp_path, text_of(limit)))
    with pytest.raises(ConfigError):
        read_config_file(written(tmp_path, text_of(limit + 1)))


def test_many_problems_are_counted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config_file(written(tmp_path, "a: [" + ".nan, " * 25 + "]"))
    path = tmp_path / "a.yaml"
    first = [f"{path}: a[{index}]: must be a finite number, got nan" for index in range(20)]
    assert caught.value.problems == (*first, f"{path}: further problems: 5")


def test_a_file_that_vanishes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "a: 1")
    opened = Path.open

    def open_too_late(self: Path, mode: str) -> Any:
        self.unlink()
        return opened(self, mode)

    monkeypatch.setattr(Path, "open", open_too_late)
    assert problem(path) == f"Agent config file not found: {path}; {tmp_path} contains no config file"


def test_a_missing_file_is_compared_with_a_limited_crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crowds: list[int] = []

    def count(word: str, choices: list[str]) -> None:
        crowds.append(len(choices))

    monkeypatch.setattr("rlsweep.config.reading.nearest", count)
    for number in range(1100):
        (tmp_path / f"{number}.yaml").touch()
    assert problem(tmp_path / "zzz.json").count(".yaml") == 5
    assert crowds == [1000]


def test_line_ends_and_a_mark_of_byte_order_are_no_part_of_a_value(tmp_path: Path) -> None:
    for text in ("\ufeffa: x\r\nb: y\r\n", "a: x\rb: y\r", '{"a": "x",\t"b": "y"}\r\n'):
        assert read_config_file(written(tmp_path, text)) == {"a": "x", "b": "y"}


def test_half_a_surrogate_pair_in_json(tmp_path: Path) -> None:
    assert "cannot be stored" in problem(written(tmp_path, '{"a": "\\ud800"}', "a.json"))


def test_text_that_is_not_utf_8(tmp_path: Path) -> None:
    assert "line 2: is not UTF-8 text; save the file as UTF-8" in problem(written(tmp_path, b"a: 1\nb: \xe9\n"))
    assert "is not UTF-8 text" in problem(written(tmp_path, "a: 1".encode("utf-16")))


@pytest.mark.parametrize(
    "text",
    [
        "a0: &a0 [1, 1]\n" + "".join(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]\n" for i in range(9)),
        "a0: &a0 {x: 1}\n" + "".join(f"a{i + 1}: &a{i + 1} {{<<: [{', '.join([f'*a{i}'] * 9)}]}}\n" for i in range(9)),
    ],
    ids=["lists", "merges"],
)
def test_a_billion_laughs_end_within_a_second(tmp_path: Path, text: str) -> None:
    started = time.process_time()
    assert "stands for more than 10000 values" in problem(written(tmp_path, text))
    assert time.process_time() - started < 1


def test_parse_value() -> None:
    assert parse_value("[64, 64]") == [64, 64]
    assert parse_value("") is None
    with pytest.raises(ValueError, match="cannot be read"):
        parse_value("[64")
    with pytest.raises(ValueError, match="finite"):
        parse_value(".nan")


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs", "Cc"))),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc_", min_size=1), inner, max_size=4),
    max_leaves=5,
)
on_disk = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@on_disk
@given(data=st.dictionaries(st.text("abc_", min_size=1), json_values, max_size=5))
def test_what_json_and_yaml_write_is_read_back(tmp_path: Path, data: dict[str, Any]) -> None:
    assert read_config_file(written(tmp_path, json.dumps(data), "a.json")) == data
    quoted = yaml.safe_dump(data, default_style='"')  # PyYAML leaves texts bare that YAML 1.2 reads as numbers
    assert read_config_file(written(tmp_path, quoted)) == data


@on_disk
@given(
    content=st.binary(max_size=200)
    | st.text("{}[]:,-&*!<>|?%@`'\"#\\ \n\r\tax1.e\ufeff\ufffe\u2028\x85", max_size=60).map(str.encode)
)
@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
def test_any_bytes_give_a_mapping_or_a_config_error(tmp_path: Path, name: str, content: bytes) -> None:
    try:
        data = read_config_file(written(tmp_path, content, name))
    except ConfigError:
        return
    assert isinstance(data, dict)
    json.dumps(data, allow_nan=False)
