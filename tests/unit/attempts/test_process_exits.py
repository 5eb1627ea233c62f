"""How a process that trains ended, as its driver learns it."""

import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from rlsweep.attempts.process_exits import DEATH, fault_file, remove_faults, take_fault, write_faults
from rlsweep.driver.deaths import cause_of_death

RUN_ID = UUID(int=7)

EXITS = """
import os
from rlsweep.attempts.process_exits import report_exits, log_exit
with report_exits(log_exit):
    if os.fork() == 0:
        os._exit(0)
    os.wait()
    os._exit(3)
"""

DIES = """
import os, sys
from pathlib import Path
from rlsweep.attempts.process_exits import write_faults
with write_faults(Path(sys.argv[1])):
    os.kill(os.getpid(), int(sys.argv[2]))
"""

RAY = """Failure # 1 (occurred at 2026-11-30_00-17-21)
The actor died unexpectedly before finishing this task.
Failure # 2 (occurred at 2026-11-30_00-17-34)
The actor died unexpectedly before finishing this task.
Worker exit detail: {}"""
CONNECTION = "Worker unexpectedly exits with a connection error code 2. Causes include: (1) the OOM killer"


def test_an_exit_code_is_told_before_the_process_ends() -> None:
    done = subprocess.run([sys.executable, "-c", EXITS], capture_output=True, text=True, check=False)
    said = "The environment ends this process with exit code 3, by os._exit in <string>, line 8.\n"
    assert (done.returncode, done.stderr) == (3, said)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_a_fatal_signal_is_left_in_a_file(number: signal.Signals, tmp_path: Path) -> None:
    file = fault_file(tmp_path / "spool", RUN_ID, 1)
    script = tmp_path / "dies.py"
    script.write_text(DIES)
    subprocess.run([sys.executable, script, str(file), str(number.value)], capture_output=True, check=False)
    assert take_fault(file) == f"signal {number.value} ({number.name}), in {script}, line 6"
    assert take_fault(file) is None


def test_a_run_that_ends_by_itself_leaves_no_file(tmp_path: Path) -> None:
    file = fault_file(tmp_path / "spool", RUN_ID, 1)
    with write_faults(file):
        assert file.exists()
    assert list(file.parent.iterdir()) == []


def run(**metadata: str) -> Any:
    return SimpleNamespace(id=RUN_ID, attempt=1, metadata=metadata)


@pytest.mark.parametrize(
    ("given", "details", "said"),
    [
        (
            run(death="exit code 3, by os._exit in a.py, line 1"),
            RAY.format(CONNECTION),
            "exit code 3, by os._exit in a",
        ),
        (run(), RAY.format("Worker exits with an exit code no licence left."), "exit code no licence left. It was"),
        (run(), RAY.format("Worker exits with an exit code 1. The process receives a SIGTERM."), "exit code 1. It was"),
    ],
)
def test_the_exit_code_comes_before_any_guess(given: Any, details: str, said: str, tmp_path: Path) -> None:
    cause = cause_of_death(given, details, tmp_path)
    assert cause.startswith(f"The trial's process died: {said}")
    assert "started 2 times" in cause
    assert "OOM" not in cause
    assert DEATH == "death"


def test_a_signal_comes_before_any_guess(tmp_path: Path) -> None:
    fault_file(tmp_path, RUN_ID, 1).write_text("Fatal Python error: Segmentation fault\n\nStack:\n")
    assert cause_of_death(run(), "", tmp_path) == "The trial's process died: signal 11 (SIGSEGV)."


def test_without_exit_code_and_signal_what_ray_guesses_is_shown(tmp_path: Path) -> None:
    cause = cause_of_death(run(), RAY.format(CONNECTION), tmp_path)
    assert cause.startswith("The trial's process died without an exit code or a signal on record, as by SIGKILL")
    assert cause.endswith(f"Ray says: Worker exit detail: {CONNECTION}")
    assert "\n" not in cause


def test_what_killed_attempts_left_is_removed(tmp_path: Path) -> None:
    other = fault_file(tmp_path, UUID(int=8), 1)
    for file in (other, fault_file(tmp_path, RUN_ID, 1), fault_file(tmp_path, RUN_ID, 12)):
        file.touch()
    remove_faults(tmp_path, RUN_ID)
    assert list(tmp_path.iterdir()) == [other]
