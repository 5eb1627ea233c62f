"""Conditions between keys: what they may say, what they mean, and that nothing else is read."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsweep.spaces.expressions import MAX_CHARACTERS, read_condition

VALUES: dict[str, Any] = {
    "n_steps": 512, "ppo.ent_coef": 0.01, "name": "tanh", "off": None, "on": True, "net": [64, 64]
}  # fmt: skip


def read(text: Any) -> Any:
    def key_of(name: str) -> str:
        if name not in VALUES:
            raise ValueError("unknown key")
        return name

    return read_condition(text, key_of)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("n_steps <= 512", True),
        ("n_steps < 512", False),
        ("256 < n_steps <= 512", True),
        ("256 < n_steps < 512", False),
        ("600 < n_steps <= 512", False),
        ("n_steps % 64 == 0 and n_steps // 100 == 5", True),
        ("n_steps / 1024 == 0.5", True),
        ("n_steps * 2 + 1 - 25 == 1000", True),
        ("-n_steps == -512 and +n_steps == 512", True),
        ("(n_steps > 1000 or ppo.ent_coef > 0) and not on == false", True),
        ("not on", False),
        ("on", True),
        ("name == 'tanh' and name != \"relu\"", True),
        ("off == none", True),
        ("off == none or off > 3", True),
        ("off != none and off > 3", False),
        ("net == none", False),
        ("n_steps\n  > 3", True),
    ],
)
def test_a_condition_means_what_it_says(text: str, holds: bool) -> None:
    assert read(text).holds(VALUES) is holds


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("off > 3", "off is nothing, which is no number"),
        ("name < 'u'", "name is 'tanh', which is no number"),
        ("name * 3 == 1", "name is 'tanh', which is no number"),
        ("on + 1 == 2", "on is true, which is no number"),
        ("net > 3", r"net is \[64, 64\], which is no number"),
        ("n_steps or on", "n_steps is 512, which is neither true nor false"),
        ("n_steps", "n_steps is 512, which is neither true nor false"),
        ("n_steps % 0 == 1", "divides by zero"),
        ("1e308 * 10 // 1 == 3", ""),
    ],
)
def test_values_that_cannot_be_compared_are_named(text: str, problem: str) -> None:
    if not problem:
        assert read(text).holds(VALUES) is False
        return
    with pytest.raises(ValueError, match=problem):
        read(text).holds(VALUES)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true') == 0",
        "n_steps.__class__ == 3",
        "(1).real == 1",
        "len(net) == 2",
        "net[0] == 64",
        "n_steps in [1, 2]",
        "[1] == [1]",
        "{1: 2} == 3",
        "(lambda: 1)() == 1",
        "n_steps ** 99999999 > 1",
        "1 << 99999999 > 1",
        "(x := 3) == 3",
        "f'{n_steps}' == '512'",
        "n_steps is 512",
        "b'a' == 1",
        "1j == 1",
        "... == 1",
        "n_steps if on else 3 == 3",
        "n_steps >",
        "n_steps = 3",
        "n_steps > 3; on",
        "",
        "   ",
        "n_steps + 3",
        "-n_steps",
        "3",
        "'text'",
        "not " * 60 + "on",
        "unknown > 3",
        "on and " * 200 + "on",
        "a" * (MAX_CHARACTERS + 1),
        3,
        None,
        ["on"],
        "n_steps > \0",
    ],
)
def test_nothing_else_is_read(text: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read(text)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from(["n_steps", "ppo.ent_coef", "on", "off", "name", "1", "0", "2.5", "'a'", "<", "==", "and", "or",
                         "not", "+", "-", "*", "/", "//", "%", "(", ")", "none", "true", ".", ",", "[", "]", ":="]),
        max_size=12,
    )
)  # fmt: skip
def test_any_text_is_computed_or_refused(words: list[str]) -> None:
    with suppress(ValueError):
        assert isinstance(read(" ".join(words)).holds(VALUES), bool)
