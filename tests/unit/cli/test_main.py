"""A command called from Python: what it takes from its arguments, what it returns, and that it leaves no trace."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import rlsweep
from rlsweep.cli import main

AGENTS = Path(__file__).parents[3] / "config" / "agents"


@pytest.fixture(autouse=True)
def _nothing_stays_changed() -> Iterator[None]:
    before = global_state()
    yield
    assert global_state() == before


def global_state() -> tuple[dict[str, str], list[str], Path]:
    environ = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    return environ, list(sys.path), Path.cwd()


def test_what_was_done_is_zero(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"], {}) == 0
    assert capsys.readouterr().out == f"rlsweep {rlsweep.__version__}\n"


@pytest.mark.parametrize("arguments", [["plan", "no/such.yaml"], ["plan", str(AGENTS), "--seeds", "0"], ["nonsense"]])
def test_what_cannot_be_used_is_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments, {}) == 2
    out, err = capsys.readouterr()
    assert (out, "Error" in err, "Traceback" in err) == ("", True, False)


def test_debug_may_stand_anywhere(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "no/such.yaml", "--debug"], {}) == 2
    assert "Traceback" in capsys.readouterr().err


def test_the_arguments_are_the_programs_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["rlsweep", "--version"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("rlsweep ")


def test_variables_come_from_the_environment_given_and_win_over_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rlsweep.env"
    file.write_text(f"RLSWEEP_HOME={tmp_path / 'file'}\nRLSWEEP_STORAGE={tmp_path / 'file'}\n")
    command = ["--settings", str(file), "tensorboard"]
    assert main(command, {}) == 2
    assert f"No TensorBoard logs in {tmp_path / 'file'}" in capsys.readouterr().err
    assert main(command, {"RLSWEEP_STORAGE": str(tmp_path / "given")}) == 2
    assert f"No TensorBoard logs in {tmp_path / 'given'}" in capsys.readouterr().err


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rlsweep.cli.app.app", interrupt)
    assert main(["runs"], {}) == 130


def test_a_text_that_somebody_elses_code_ends_with_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rlsweep.cli.app.app", lambda *_, **__: sys.exit("no licence left"))
    assert main([]) == 1
    assert capsys.readouterr().err == "Error: no licence left\n"


def test_an_error_that_cannot_be_written_keeps_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    assert main(["plan", "no/such.yaml"], {}) == 2
