"""JSON with comments, and several YAML documents: what to write instead is the same content."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsweep.config.foreign.texts import json_with_comments, several_documents
from rlsweep.config.reading import read_config_file
from rlsweep.config.text_values import parse_yaml
from rlsweep.errors import ConfigError

COMMENTED = """{
  // my first agent, see http://x.org
  "agent_id": "a//b", "name": "/* A */", /* both
     * are names */ "algorithm": "PPO",
\t"learning_rate": 3e-4,   /* was 1e-3 */
  "layers": [64, 64,],
}
"""


def test_json_with_comments_is_answered_with_yaml_that_keeps_them(tmp_path: Path) -> None:
    path = tmp_path / "my.json"
    path.write_text(COMMENTED)
    with pytest.raises(ConfigError) as caught:
        read_config_file(path)
    assert caught.value.problems == (f"{path}: JSON has no comments; write it to my.yaml, since YAML has them",)
    (block,) = caught.value.pasted
    head, _, text = block.partition("\n")
    assert head == "# my.yaml"
    assert [line.strip() for line in text.splitlines() if line.strip().startswith("#")] == [
        "# my first agent, see http://x.org",
        "# are names",
    ]
    assert parse_yaml(text) == {
        "agent_id": "a//b", "name": "/* A */", "algorithm": "PPO", "learning_rate": 3e-4, "layers": [64, 64],
    }  # fmt: skip


def test_json_with_only_a_comma_too_many(tmp_path: Path) -> None:
    path = tmp_path / "my.json"
    path.write_text('{"a": 1,}')
    with pytest.raises(ConfigError, match=r"JSON has no commas before a closing bracket; write it to my\.yaml"):
        read_config_file(path)


@pytest.mark.parametrize("text", ['{"a": 1', '{"a": /* 1}', '{"a" 1} // x', "{'a': 1}", '{"a": 1/2}', "", "//", '"'])
def test_what_is_no_json_either_is_malformed(tmp_path: Path, text: str) -> None:
    assert json_with_comments(text) is None
    path = tmp_path / "my.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match="malformed JSON"):
        read_config_file(path)


comments = st.sampled_from(["", " ", "// x\n", "/* y */", "/* a\n * b */", "\n", "/**/"])
texts = st.text('ab "\\/*#,:[]{}', max_size=6)
values = st.recursive(
    st.integers(-9, 9) | st.booleans() | st.none() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(value=values, data=st.data())
def test_comments_between_values_change_nothing(value: object, data: st.DataObject) -> None:
    pieces = json.JSONEncoder(ensure_ascii=True).iterencode([value])
    text = "".join(piece + data.draw(comments) for piece in pieces)
    if (found := json_with_comments(text)) is not None:
        assert found[0] == [value]
        assert parse_yaml(found[1]) == [value]
    else:
        assert json.loads(text) == [value]


def test_several_documents_become_several_files(tmp_path: Path) -> None:
    agent = "# mine\nagent_id: two\nversion: 1\n"
    path = tmp_path / "many.yaml"
    path.write_text(
        f"%YAML 1.1\n---\n{agent}...\n---\n{agent}--- {{agent_id: two, version: 3, sweep_variant: fast}}\n---\nx: 1\n"
    )
    with pytest.raises(ConfigError) as caught:
        read_config_file(path)
    (said,) = caught.value.problems
    assert said == f"{path}: holds 4 YAML documents, and a config file holds one; write each to a file of its own"
    names = [block.partition("\n")[0].removeprefix("# ") for block in caught.value.pasted]
    assert names == ["two_v1.yaml", "two_v1_2.yaml", "two_sweep_fast.yaml", "config_4.yaml"]
    contents = [parse_yaml(block) for block in caught.value.pasted]
    assert contents[0] == contents[1] == {"agent_id": "two", "version": 1}
    assert contents[2:] == [{"agent_id": "two", "version": 3, "sweep_variant": "fast"}, {"x": 1}]
    assert "# mine" in caught.value.pasted[0]


def test_one_document_is_no_several() -> None:
    assert several_documents("---\na: 1\n...\n") is None


HOSTILE = {
    "comments that do not end": "/*" * 100_000,
    "quotes within quotes": '"\\"' * 100_000,
    "commas": "," * 900_000,
    "many comments": "//\n" * 50_000,
    "a text that does not end": '{"a": "' + "\\" * 900_000,
    "slashes": "/ " * 100_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_are_read_in_one_pass(text: str) -> None:
    started = time.perf_counter()
    assert json_with_comments(text) is None
    assert time.perf_counter() - started < 5


def test_many_documents_are_answered_in_bounds() -> None:
    started = time.perf_counter()
    answer = several_documents("a: 1\n---\n" * 4000 + "a: 1\n")
    assert answer is not None
    assert len(answer.blocks) == 13
    assert time.perf_counter() - started < 5
