"""A real Prometheus with the configuration of dashboards/prometheus, as far as a test can leave it as it is."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

FOLDER = Path(__file__).parents[2] / "dashboards" / "prometheus"
PATIENCE_S = 60


def required(program: str) -> str:
    """The path of `prometheus` or `promtool`; skips the test, or fails it in CI, where it is not installed."""
    found = shutil.which(program)
    if found is None:
        if os.environ.get("RLSWEEP_REQUIRE_PROMETHEUS"):
            pytest.fail(f"{program} is required, and not installed")
        pytest.skip(f"{program} is not installed: apt-get install prometheus")
    return found


def changed(text: str, changes: Mapping[str, str]) -> str:
    """The text with each of the changes, of which none may have gone stale."""
    for old, new in changes.items():
        assert old in text, f"{old!r} does not occur"
        text = text.replace(old, new)
    return text


class Prometheus:
    """One that runs; times are Unix times in seconds."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get(self, path: str, **parameters: Any) -> Any:
        with urlopen(f"{self._url}/api/v1/{path}?{urlencode(parameters)}", timeout=30) as answer:
            return json.load(answer)["data"]

    def instant(self, query: str) -> list[dict[str, Any]]:
        """The samples of a query now."""
        found: list[dict[str, Any]] = self.get("query", query=query)["result"]
        return found

    def over_time(self, query: str, *, since: float, step: float = 1.0) -> list[dict[str, Any]]:
        """The series of a query from `since` until now."""
        found: list[dict[str, Any]] = self.get("query_range", query=query, start=since, end=time.time(), step=step)[
            "result"
        ]
        return found

    def firing(self, alert: str) -> list[dict[str, Any]]:
        """The alerts of this name that fire now: their labels, annotations and value."""
        return [
            each
            for each in self.get("alerts")["alerts"]
            if each["labels"]["alertname"] == alert and each["state"] == "firing"
        ]

    def wait_for(self, found: Callable[[], Any], what: str) -> Any:
        """What is found, once it is anything."""
        deadline = time.monotonic() + PATIENCE_S
        while not (answer := found()):
            assert time.monotonic() < deadline, f"not before long: {what}; alerts: {self.get('alerts')}"
            time.sleep(0.2)
        return answer


@contextmanager
def prometheus(
    folder: Path, *, config: Mapping[str, str], rules: Mapping[str, str], tokens: Mapping[str, str]
) -> Iterator[Prometheus]:
    """One while the context lasts, with its files in `folder`.

    config, rules: what is changed in prometheus.yaml and in rules.yaml
    tokens: of the page and of Ray, by the names of their files
    """
    program = required("prometheus")
    folder.mkdir()
    for name, changes in (("prometheus.yaml", config), ("rules.yaml", rules)):
        (folder / name).write_text(changed((FOLDER / name).read_text(), changes))
    for name, token in tokens.items():
        (folder / name).write_text(token)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = [f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([program, *flags, f"--web.listen-address=127.0.0.1:{port}"], stderr=log)
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}/-/ready", process, folder / "log")
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, OSError):
            assert process.poll() is None, log.read_text()[-4000:]
            assert time.monotonic() < deadline, log.read_text()[-4000:]
            time.sleep(0.1)
