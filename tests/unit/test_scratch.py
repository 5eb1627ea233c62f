import os
import subprocess
import sys
from pathlib import Path

import pytest

from rlsweep.scratch import scratch_folder

HOLD = """
import sys, time
from rlsweep.scratch import scratch_folder
with scratch_folder("tune") as folder:
    (folder / "notes").write_text("…")
    print(folder, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def _folder_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def other(tmp_path: Path) -> "tuple[subprocess.Popen[str], Path]":
    environ = os.environ | {"TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_it_is_removed_at_the_end() -> None:
    with scratch_folder("tune") as folder:
        (folder / "deep").mkdir()
        assert folder.is_dir()
    assert not folder.exists()


def test_what_a_killed_process_left_is_removed_and_what_is_used_is_not(tmp_path: Path) -> None:
    killed, left = other(tmp_path)
    killed.kill()
    killed.communicate()
    living, used = other(tmp_path)
    assert not left.exists(), "the other process has cleared it away"
    unmarked = tmp_path / "rlsweep-tune-by-hand"
    unmarked.mkdir()
    with scratch_folder("tune"), scratch_folder("ray"):
        assert used.is_dir()
        assert unmarked.is_dir()
    living.communicate("\n")
    assert not used.exists()
