import pytest

from rlsweep.web.guard import host_name
from rlsweep.web.server import is_loopback


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("localhost", "localhost"),
        ("LOCALHOST:5173", "localhost"),
        ("127.0.0.1:80", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("[::1]:5173", "[::1]"),
        ("evil.example:80", "evil.example"),
        ("localhost:80@evil.example", "localhost:80@evil.example"),
        ("localhost:evil", "localhost:evil"),
        ("::1", "::1"),
        ("", ""),
    ],
)
def test_the_name_in_a_host_header(header: str, name: str) -> None:
    assert host_name(header) == name


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("127.example.com", False),
    ],
)
def test_what_other_machines_cannot_reach(host: str, expected: bool) -> None:
    assert is_loopback(host) == expected
