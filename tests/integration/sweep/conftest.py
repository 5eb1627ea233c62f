"""The `rlsweep` command as a user runs it, in a folder and a home of its own, on a database of the test's own."""

import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil
import pytest
from in_process import Done, call
from psycopg.rows import tuple_row
from ray_head import authenticated, end_tree, own_environ
from unmeasured import figures, measuring_by

from rlsweep.planning import forecast
from rlsweep.settings import Settings
from rlsweep.store.database import Database
from rlsweep.store.opening import open_database

WAIT_S = 240
"""Seconds after which something is taken to hang; other tests want the cores too."""

AGENT = """\
agent_id: {agent_id}
name: {agent_id} {variant}
algorithm: MaskablePPO
version: 1
sweep_variant: {variant}
learning_rate: {learning_rate}
n_steps: 64
batch_size: 32
n_epochs: 2
network: {{net_arch: [8]}}
"""


@dataclass(frozen=True)
class Rlsweep:
    """Runs commands; `folder` is where the user works.

    What only looks, `look` and `json`, is called in this process; so is `drive`, where Ray or the service runs already.

    database_url: None for the embedded one of the home
    measures: whether `submit` and `race` measure the environment, as they do for a user, before they train
    """

    folder: Path
    home: Path
    database_url: str | None
    measures: bool = False

    @property
    def environ(self) -> dict[str, str]:
        database = {} if self.database_url is None else {"RLSWEEP_DATABASE_URL": self.database_url}
        return own_environ() | database | {"RLSWEEP_HOME": str(self.home)}

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        module = "unmeasured" if arguments[0] in ("submit", "race") and not self.measures else "rlsweep"
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=self.folder,
            env=self.environ | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(
        self, *arguments: str, expect: int = 0, timeout: float = WAIT_S, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **environ)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            end_tree(process.pid)
            process.communicate()
            raise
        done = subprocess.CompletedProcess(arguments, process.returncode, out, err)
        assert process.returncode == expect, f"exit {process.returncode}\n{out}\n{err}"
        return done

    def drive(self, *arguments: str, expect: int = 0, timeout: float = WAIT_S, **environ: str) -> Done:
        """Run what trains, or asks Ray, as a notebook does: without the imports of a process for this command alone."""
        measuring = forecast.measuring if self.measures else measuring_by(figures)
        surroundings = self.environ | environ
        with patch.object(forecast, "measuring", measuring), authenticated(surroundings), _ended_within(timeout):
            return call(arguments, surroundings, self.folder, io.StringIO).expect(expect)

    def json(self, *arguments: str) -> Any:
        return json.loads(self.look(*arguments, "--json").stdout)

    def look(self, *arguments: str, expect: int = 0) -> Done:
        return call(arguments, self.environ, self.folder, io.StringIO).expect(expect)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query finds in the database."""
        with self.open() as database:
            return found(database, query)

    def wait_until(self, query: str) -> None:
        """Until a query of one number, or none, finds anything but nothing and 0.

        It is asked from here: commands, one after the other, would keep a core from those that are waited for.
        """
        deadline = time.monotonic() + WAIT_S
        with self.open() as database:
            while time.monotonic() < deadline:
                if any(row[0] for row in found(database, query)):
                    return
                time.sleep(0.3)
        raise AssertionError(f"not before long: {query}")

    def wait_for_episodes(self, episodes: int) -> None:
        """Until so many are on record."""
        self.wait_until(f"select 1 from training_runs having sum(episodes) >= {episodes}")

    def open(self) -> AbstractContextManager[Database]:
        """Its database, on a server that runs meanwhile."""
        return open_database(Settings(home=self.home, storage=self.home, database_url=self.database_url))

    def agents(self, *variants: str) -> str:
        """Write agent configs; the pattern that finds them."""
        for number, variant in enumerate(variants, start=1):
            text = AGENT.format(agent_id="tiny", variant=variant, learning_rate=f"{number}e-4")
            (self.folder / f"tiny_sweep_{variant}.yaml").write_text(text)
        return "tiny_sweep_*.yaml"

    def base(self, environment: str, **kwargs: Any) -> str:
        """Write a base config; its path."""
        path = self.folder / "base.yaml"
        path.write_text(json.dumps({"environment": {"id": f"troubled_envs:{environment}", "kwargs": kwargs}}))
        return str(path)

    def processes(self) -> dict[psutil.Process, str]:
        """Every live process that belongs to this home, and its command line."""
        found = {}
        for process in psutil.process_iter():
            try:
                if process.environ().get("RLSWEEP_HOME") == str(self.home) and process.status() != "zombie":
                    found[process] = " ".join(process.cmdline()).strip()
            except psutil.Error:
                continue
        return found

    def left_behind(self, of: str = "", *, within_s: float) -> dict[psutil.Process, str]:
        """What still lives when all of them, or those with a word in their command line, were given time to end."""
        deadline = time.monotonic() + within_s
        while left := {process: line for process, line in self.processes().items() if of in line}:
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        return left


@contextmanager
def _ended_within(seconds: float) -> Iterator[None]:
    """An error in this thread, the main one, after that time."""

    def give_up(*_: object) -> None:
        raise TimeoutError(f"not at its end after {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def found(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.readonly() as connection, connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(query).fetchall()


@pytest.fixture
def rlsweep(home: Path, tmp_path: Path, database: Database) -> Iterator[Rlsweep]:
    """On a database of this test's own, on a server that the tests share."""
    with without_remains(Rlsweep(folder=tmp_path, home=home, database_url=database.url)) as command:
        yield command


@pytest.fixture
def rlsweep_at_home(home: Path, tmp_path: Path) -> Iterator[Rlsweep]:
    """On the embedded database, which its commands start and end."""
    with without_remains(Rlsweep(folder=tmp_path, home=home, database_url=None)) as command:
        yield command


@contextmanager
def without_remains(command: Rlsweep) -> Iterator[Rlsweep]:
    yield command
    left = command.left_behind(within_s=20)
    for process in left:
        process.kill()
    assert not left


@pytest.fixture
def kill_tree() -> Callable[[int], None]:
    return end_tree
