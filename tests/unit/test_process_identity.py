import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from rlsweep.process_identity import describe_process, is_gone, is_here, own_process

SAY_AND_WAIT = "import sys; from rlsweep.process_identity import own_process; print(own_process(), flush=True); "


@pytest.fixture
def other() -> Iterator[subprocess.Popen[str]]:
    """A process that writes its name and then waits to be killed."""
    command = [sys.executable, "-c", SAY_AND_WAIT + "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_a_process_that_ended_here_is_gone(other: subprocess.Popen[str]) -> None:
    assert other.stdout is not None
    name = other.stdout.readline().strip()
    assert is_here(name)
    assert not is_gone(name)
    assert not is_gone(own_process() + ".ab12")
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # only its exit code is left
    assert is_gone(name)
    assert is_gone(name + ".ab12")
    other.wait()
    assert is_gone(name)
    assert describe_process(name) == f"process {other.pid} on {name.partition(':')[0]}"


def test_a_process_id_that_is_used_again_is_another_process() -> None:
    assert is_gone(re.sub(r"\d+$", "1", own_process()))


@pytest.mark.parametrize("name", [None, "", "host:1", "host:1:ab12", "host:999999999:00000000.1"])
def test_nothing_is_known_of_processes_elsewhere(name: str | None) -> None:
    assert not is_here(name)
    assert not is_gone(name)
