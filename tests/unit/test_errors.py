"""The tree of errors, and the promise of exit code 2: nothing was started."""

import re

import pytest

from rlsweep import errors
from rlsweep.errors import (
    ConfigError,
    InputError,
    NotFoundError,
    OutageError,
    RlsweepError,
    StoreUnavailableError,
    UnreachableError,
    after_start,
    before_start,
)

CLASSES = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RlsweepError)]


def test_the_drawn_tree_is_the_tree() -> None:
    assert errors.__doc__
    drawn: dict[str, str] = {}
    above: list[str] = []
    for line in errors.__doc__.splitlines():
        found = re.match(r"([│├└─ ]*)(\w+Error)  ", line)
        if found:
            depth = len(found[1]) // 4
            above[depth:] = [found[2]]
            drawn[found[2]] = above[depth - 1] if depth else "Exception"
    assert drawn == {kind.__name__: kind.__base__.__name__ for kind in CLASSES if kind.__base__}


@pytest.mark.parametrize("kind", CLASSES)
def test_only_what_was_given_ends_with_2(kind: type[RlsweepError]) -> None:
    assert kind.exit_code == (2 if issubclass(kind, InputError) else 1)


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if issubclass(kind, OutageError)])
def test_an_outage_before_the_start_is_told_as_what_was_given(kind: type[RlsweepError]) -> None:
    with pytest.raises(UnreachableError, match=r"^It is away\.$") as caught, before_start():
        raise kind("It is away.")
    assert isinstance(caught.value.__cause__, kind)


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if issubclass(kind, InputError)])
def test_after_the_start_nothing_ends_with_2(kind: type[RlsweepError]) -> None:
    with pytest.raises(RlsweepError, match=r"^It is gone\.$") as caught, after_start():
        raise kind("It is gone.")
    assert caught.value.exit_code == 1


def test_what_says_the_right_thing_already_passes_through() -> None:
    with pytest.raises(NotFoundError), before_start():
        raise NotFoundError
    with pytest.raises(StoreUnavailableError), after_start():
        raise StoreUnavailableError
    with pytest.raises(ZeroDivisionError), before_start(), after_start():
        raise ZeroDivisionError


def test_a_problem_is_one_line_that_a_terminal_can_show() -> None:
    error = ConfigError("a.yaml: got '\x1b[2J\r\n\u202eb\udcff'", "two")
    assert error.problems == ("a.yaml: got '\\x1b[2J \\u202eb\\udcff'", "two")
    assert str(error) == "a.yaml: got '\\x1b[2J \\u202eb\\udcff'\ntwo"


def test_a_long_problem_keeps_its_beginning_and_its_end() -> None:
    (problem,) = ConfigError("a.yaml: got '" + "x" * 10**6 + "'; write less").problems
    assert problem.startswith("a.yaml: got 'xxx")
    assert problem.endswith("xxx'; write less")
    assert len(problem) == 1003
    assert ConfigError("é" * 1000).problems == ("é" * 1000,)
