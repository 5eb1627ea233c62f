import pytest

from rlsweep.errors import InputError
from rlsweep.planning.submission import LONGEST_NAME, check_name


@pytest.mark.parametrize("name", ["lr-study", "a", "2026-11-23_night", "v1.2", "ace", "facade-x", "a" * 3])
def test_names_of_sweeps(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a[/b]", "use at most"),
        ("a b", "use at most"),
        ("../up", "use at most"),
        ("-x", "use at most"),
        ("", "use at most"),
        ("a\n", "use at most"),
        ("a" * LONGEST_NAME + "z", "at most"),
        ("latest", "means the newest sweep"),
        ("c0ffee", "looks like the start of an id"),
        ("BEEF", "looks like the start of an id"),
        ("2026-11", "looks like the start of an id"),
    ],
)
def test_what_cannot_be_a_name(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_name(name)
