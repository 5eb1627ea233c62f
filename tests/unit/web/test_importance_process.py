"""The process that computes what matters: its answers and errors, and that it never stays behind."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import psutil
import pytest

from rlsweep.errors import RlsweepError
from rlsweep.spaces.importance import Column, shares
from rlsweep.web import importance_process
from rlsweep.web.importance_process import ImportanceProcess

STUB = """
import os, sys, time
from multiprocessing.connection import Connection
with Connection(sys.stdin.fileno()) as server:
    while True:
        asked, *_ = server.recv()
        if asked == "exit":
            os._exit(3)
        if asked == "wait":
            time.sleep(60)
        server.send(os.getpid() if asked == "pid" else "ZeroDivisionError: of the process")
"""
"""Answers with its process id, which is quicker than imports of scikit-learn."""

WAIT_S = 30


class Asking(ImportanceProcess):
    """Sends the words that the stub knows."""

    def ask(self, what: str) -> Any:
        return self.shares(what, None, None, 0.0)  # type: ignore[arg-type]


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importance_process, "COMMAND", (sys.executable, "-c", STUB))


@pytest.fixture
def asking(stub: None) -> Iterator[Asking]:
    process = Asking()
    yield process
    process.close()


def until_gone(pid: int) -> None:
    deadline = time.monotonic() + WAIT_S
    while psutil.pid_exists(pid):  # a zombie exists too
        assert time.monotonic() < deadline
        time.sleep(0.01)


def until_dead(pid: int) -> None:
    """Until it is a zombie, which only its parent can clear away."""
    deadline = time.monotonic() + WAIT_S
    while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_computes_what_this_process_would_says_what_went_wrong_and_ends_with_the_server() -> None:
    values = np.random.default_rng(1).random(12)
    columns = [Column(values=tuple(values.tolist()), is_category=False)]
    process = ImportanceProcess()
    try:
        process.begin()
        found = process.shares(columns, values, np.full(12, 0.1), 9.0)
        np.testing.assert_array_equal(found, shares(columns, values, np.full(12, 0.1), 9.0))
        with pytest.raises(RlsweepError, match=r"(?s)could not be computed.*Traceback.*ValueError"):
            process.shares(columns, values[:3], np.full(12, 0.1), 9.0)
        child = process._child
        assert child is not None
        child.connection.close()  # as the kernel does where the server is killed
        assert child.process.wait(WAIT_S) == 0
    finally:
        process.close()


def test_one_process_answers_until_it_dies_and_then_another_one(asking: Asking) -> None:
    asking.begin()
    pid = asking.ask("pid")
    asking.begin()
    assert asking.ask("pid") == pid
    with pytest.raises(RlsweepError, match="of the process"):
        asking.ask("an error")
    assert asking.ask("pid") == pid
    os.kill(pid, signal.SIGKILL)
    until_dead(pid)
    second = asking.ask("pid")
    assert second != pid
    with pytest.raises(RlsweepError, match="ended with exit code 3"):
        asking.ask("exit")
    assert asking.ask("pid") not in (pid, second)
    assert not psutil.pid_exists(second)


def test_an_answer_that_takes_too_long_is_given_up(stub: None) -> None:
    process = Asking(most_seconds=WAIT_S)
    try:
        pid = process.ask("pid")
        process._most_seconds = 0.05
        with pytest.raises(RlsweepError, match=r"took more than 0\.05 s"):
            process.ask("wait")
        assert not psutil.pid_exists(pid)
        process._most_seconds = WAIT_S
        assert process.ask("pid") != pid
    finally:
        process.close()


def test_it_ends_when_nobody_has_asked_for_a_while(stub: None) -> None:
    process = Asking(idle_seconds=0.2)
    try:
        until_gone(process.ask("pid"))
        assert process.ask("pid")
    finally:
        process.close()


def test_it_ends_with_the_server_also_while_it_computes(asking: Asking) -> None:
    pid = asking.ask("pid")
    errors: list[str] = []

    def wait() -> None:
        try:
            asking.ask("wait")
        except RlsweepError as exc:
            errors.append(str(exc))

    thread = threading.Thread(target=wait)
    thread.start()
    while not asking._lock.locked():
        time.sleep(0.01)
    asking.close()
    thread.join(WAIT_S)
    assert not psutil.pid_exists(pid)
    assert len(errors) == 1
    with pytest.raises(RlsweepError, match="The server ends"):
        asking.ask("pid")


def test_a_page_is_shown_where_the_process_cannot_be_started(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(importance_process, "COMMAND", ("/nowhere/python",))
    process = Asking()
    process.begin()
    assert "could not be started" in caplog.text
    with pytest.raises(FileNotFoundError):
        process.ask("pid")
    process.close()
