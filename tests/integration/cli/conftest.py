"""The `rlsweep` command: called in this process, or run as a user runs it, in a pipe or a terminal."""

import fcntl
import io
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from in_process import Done, Terminal, call

from rlsweep.attempts.provenance import Provenance
from rlsweep.config.run import Mode
from rlsweep.planning.plan import make_plan
from rlsweep.planning.submission import create_sweep
from rlsweep.runs import EndReason, Episode, Outcome
from rlsweep.store import recording, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep

TIMEOUT_S = 120
AGENTS = Path(__file__).parents[3] / "config" / "agents"


@dataclass(frozen=True, kw_only=True)
class Cli:
    """Runs `rlsweep` in `folder`, with `home` as RLSWEEP_HOME; nothing of the caller's own settings gets through.

    `run` and `json` call it in this process, which takes no time to start; all else makes a process of its own.
    """

    folder: Path
    home: Path
    environ: dict[str, str] = field(default_factory=dict)

    def with_environ(self, **variables: str) -> "Cli":
        return replace(self, environ=self.environ | variables)

    def run(self, *arguments: str, expect: int = 0) -> Done:
        return call(arguments, self._environ(), self.folder, io.StringIO).expect(expect)

    def show(self, *arguments: str, columns: int) -> str:
        """What it prints, in this process, for a terminal so many columns wide."""
        environ = self._environ() | {"COLUMNS": str(columns), "TERM": "xterm"}
        return call(arguments, environ, self.folder, Terminal).expect(0).stdout

    def run_process(self, *arguments: str, expect: int = 0) -> Done:
        done = subprocess.run(
            self._command(arguments),
            cwd=self.folder,
            env=self._environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        return Done(done.returncode, done.stdout, done.stderr).expect(expect)

    def start(self, *arguments: str, output: Path) -> subprocess.Popen[bytes]:
        """Start what goes on until it is ended; it writes stdout and stderr into `output`."""
        with output.open("wb") as log:
            return subprocess.Popen(
                self._command(arguments),
                cwd=self.folder,
                env=self._environ(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json").stdout)

    def run_unread(self, *arguments: str) -> str:
        """Run into a pipe that nobody reads, as `| head -0` would; what is said on stderr."""
        reading, writing = os.pipe()
        os.close(reading)
        try:
            done = subprocess.run(
                self._command(arguments),
                cwd=self.folder,
                env=self._environ(),
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=subprocess.PIPE,
                text=True,
                timeout=TIMEOUT_S,
            )
        finally:
            os.close(writing)
        return done.stderr

    def run_in_terminal(self, *arguments: str, columns: int, typed: str = "") -> str:
        """Run in a terminal so many columns wide, with `typed` ahead of any question; what it showed."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        process = subprocess.Popen(
            self._command(arguments),
            cwd=self.folder,
            env=self._environ() | {"COLUMNS": str(columns), "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        os.write(ours, typed.encode())
        shown = b""
        while True:
            try:
                part = os.read(ours, 65_536)
            except OSError:  # how Linux tells that the other end was closed
                break
            if not part:
                break
            shown += part
        os.close(ours)
        assert process.wait(TIMEOUT_S) == 0, shown.decode()
        return shown.decode().replace("\r\n", "\n")

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "rlsweep", *arguments]

    def _environ(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("RLSWEEP_", "RAY_"))}
        return kept | {"RLSWEEP_HOME": str(self.home), "OMP_NUM_THREADS": "1"} | self.environ


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Commands that must not start anything: `cli.home` does not exist."""
    return Cli(folder=tmp_path, home=tmp_path / "home")


@pytest.fixture
def cli_on_database(cli: Cli, database: Database) -> Cli:
    """Commands on a database of this test's own."""
    return cli.with_environ(RLSWEEP_DATABASE_URL=database.url)


@pytest.fixture
def cli_with_home(home: Path, tmp_path: Path) -> Cli:
    """Commands that start the embedded database in a home of their own."""
    return Cli(folder=tmp_path, home=home)


@pytest.fixture
def recorded_sweep(database: Database) -> Callable[[], Sweep]:
    """Puts the shipped configs on record, two seeds each, as if they had been trained; one run failed."""

    def record() -> Sweep:
        plan = make_plan(
            [str(AGENTS)],
            base_config=None,
            mode=Mode.SMOKE,
            episodes=20_000,
            total_timesteps=None,
            seeds=2,
            with_base=False,
        )
        provenance = Provenance(versions={"ray": "2"}, git_commit=None, git_dirty=None, host="here", command="rlsweep")
        sweep = create_sweep(database, plan, name="calibration", patterns=[str(AGENTS)], provenance=provenance)
        for number, run in enumerate(training_runs.of_sweep(database, sweep.id)):
            _train(database, run.id, error="ZeroDivisionError: a mistake" if number == 0 else None)
        return sweeps.settle(database, sweep.id)

    return record


def _train(database: Database, run_id: Any, error: str | None) -> None:
    run = transitions.begin_attempt(database, run_id, {"host": "here"})
    assert run is not None
    episodes = [
        Episode(episode=1 + index, env_steps=10 * (1 + index), reward=1.0, length=10, outcome=Outcome.WIN, seconds=0.1)
        for index in range(40)
    ]
    progress = recording.Progress(episodes=20_000, updates=0, env_steps=200_000)
    recording.flush(database, run_id, run.attempt, recording.Batch(progress=progress, episodes=episodes, updates=[]))
    transitions.finish(database, run_id, run.attempt, EndReason.FAILED if error else EndReason.COMPLETED, error)
