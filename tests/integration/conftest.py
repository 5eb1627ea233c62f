"""One running Ray for the tests of several rooms."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ray_head import HEAD_TOKEN, RayHead


@pytest.fixture(scope="session")
def running_head() -> Iterator[Callable[[], RayHead]]:
    """Gives the one that runs, started where there is none; what ended it has failed its own test."""
    heads: list[RayHead] = []
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:

        def running() -> RayHead:
            if not heads or not heads[-1].is_alive():
                heads.append(RayHead(Path(folder) / str(len(heads))))
            return heads[-1]

        yield running
        for head in heads:
            head.end()


@pytest.fixture
def ray_head(running_head: Callable[[], RayHead]) -> Iterator[dict[str, str]]:
    """Variables with which commands join a running Ray; for tests of the xdist group `ray head`, which share it."""
    head = running_head()
    yield {"RAY_ADDRESS": head.address} | HEAD_TOKEN
    assert head.is_alive(), "it goes on when a sweep has left"
