"""What a command waits for is shown on stderr: in place on a terminal, now and then as a line elsewhere."""

import io
import sys
import time

import pytest

from rlsweep.cli import stages
from rlsweep.cli.stages import shown_stages
from rlsweep.stages import stage


class Terminal(io.StringIO):
    """Takes what is written to a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_a_terminal_shows_the_stage_at_once_and_its_details(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")

    def wait_for(text: str) -> None:
        deadline = time.monotonic() + 5
        while text not in terminal.getvalue():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    with shown_stages(), stage("Measuring an [env]") as tell:
        wait_for("Measuring an [env] …")
        tell("12 env steps, 0.5 steps/s")
        wait_for("Measuring an [env]: 12 env steps, 0.5 steps/s …")
    assert terminal.getvalue().endswith("\x1b[2K")  # the line is gone


def test_a_pipe_gets_a_line_of_what_takes_long_and_none_of_the_rest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stages, "FIRST_SECONDS", 0.1)
    monkeypatch.setattr(stages, "EVERY_SECONDS", 0.1)
    with shown_stages():
        with stage("Connecting to the database"):
            pass
        with stage("Measuring x") as tell:
            tell("3 env steps, 0.5 steps/s")
            time.sleep(0.35)
        time.sleep(0.15)
    lines = capsys.readouterr().err.splitlines()
    assert set(lines) == {"Measuring x: 3 env steps, 0.5 steps/s …"}
    assert 2 <= len(lines) <= 3


def test_without_a_listener_nothing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with stage("Measuring x") as tell:
        tell("more")
    assert capsys.readouterr() == ("", "")
