import pytest

from rlsweep.cluster.address import Address, Reach, jobs_url, read_address
from rlsweep.errors import InputError


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("local", Address(Reach.OWN, "")),
        ("auto", Address(Reach.JOINED, "auto")),
        ("10.0.0.1:6379", Address(Reach.JOINED, "10.0.0.1:6379")),
        ("[::1]:6379", Address(Reach.JOINED, "[::1]:6379")),
        ("http://head:8265", Address(Reach.JOBS, "http://head:8265")),
        ("https://ray.example.org/", Address(Reach.JOBS, "https://ray.example.org")),
        ("ray://head:10001", Address(Reach.JOBS, "http://head:8265")),
        ("ray://head", Address(Reach.JOBS, "http://head:8265")),
        ("ray://[::1]:10001", Address(Reach.JOBS, "http://[::1]:8265")),
    ],
)
def test_what_an_address_names(given: str, address: Address) -> None:
    assert read_address(given, {}) == address
    assert read_address(None, {"RAY_ADDRESS": given}) == address
    assert read_address(given, {"RAY_ADDRESS": "elsewhere:1"}) == address, "a flag wins"


def test_nothing_is_said() -> None:
    assert read_address(None, {}) is None
    assert read_address(None, {"RAY_ADDRESS": ""}) is None


@pytest.mark.parametrize(
    "given", ["head", "http://", "http://head:port", "ftp://head:1", "ray://", "a b:6379", "head:1234567"]
)
def test_what_names_no_ray_is_refused(given: str) -> None:
    with pytest.raises(InputError, match=r"--address .*: write http://HEAD:8265, the head's Jobs API"):
        read_address(given, {})
    with pytest.raises(InputError, match="RAY_ADDRESS"):
        read_address(None, {"RAY_ADDRESS": given})


def test_logs_are_kept_by_a_jobs_api_alone() -> None:
    assert jobs_url("ray://head:10001") == "http://head:8265"
    with pytest.raises(InputError, match="logs need the address of a Jobs API"):
        jobs_url("10.0.0.1:6379")
