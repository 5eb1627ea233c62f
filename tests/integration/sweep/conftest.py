"""The `rlsweep` command as a user runs it, in a folder and a home of its own, on a database of the test's own."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from in_process import Done, call
from psycopg.rows import tuple_row

from rlsweep.settings import Settings
from rlsweep.store.database import Database
from rlsweep.store.opening import open_database

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[2]
"""Before whatever rlsweep is installed: the one under test."""

WAIT_S = 240
"""Seconds after which something is taken to hang; other tests want the cores too."""

HEAD_TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "f00d" * 16}

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


def own_environ() -> dict[str, str]:
    """Without what the caller has set of rlsweep's and Ray's variables."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("RLSWEEP_", "RAY_"))}
    return kept | {"PYTHONPATH": f"{HERE}{os.pathsep}{REPOSITORY}", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Rlsweep:
    """Runs commands; `folder` is where the user works.

    What only looks, `look` and `json`, is called in this process.

    database_url: None for the embedded one of the home
    measures: whether `submit` measures the environment, as it does for a user, before it trains
    """

    folder: Path
    home: Path
    database_url: str | None
    measures: bool = False

    @property
    def environ(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("RLSWEEP_", "RAY_"))}
        database = {} if self.database_url is None else {"RLSWEEP_DATABASE_URL": self.database_url}
        return (
            kept
            | database
            | {
                "RLSWEEP_HOME": str(self.home),
                "PYTHONPATH": f"{HERE}{os.pathsep}{REPOSITORY}",
                "OMP_NUM_THREADS": "1",
            }
        )

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        module = "unmeasured" if arguments[0] == "submit" and not self.measures else "rlsweep"
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


class RayHead:
    """A cluster of one node, as an administrator would start it, who says that it has a GPU."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free, socket.socket() as other:
            free.bind(("127.0.0.1", 0))
            other.bind(("127.0.0.1", 0))
            port, dashboard_port = free.getsockname()[1], other.getsockname()[1]
        folder.mkdir()
        command = [sys.executable, str(HERE / "forking_head.py"), str(folder), "--head", "--block", f"--port={port}"]
        options = [
            "--node-ip-address=127.0.0.1",
            "--num-cpus=2",
            "--num-gpus=1",
            "--include-dashboard=false",
            f"--dashboard-port={dashboard_port}",  # taken even so; a head whose usual port is taken ends
            "--disable-usage-stats",
        ]
        self.address = f"127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [*command, *options, f"--temp-dir={folder / 'ray'}"],
            env=own_environ() | HEAD_TOKEN | {"RAY_worker_niceness": "0"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(port)

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        end_tree(self._process.pid)
        self._process.wait(timeout=30)


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


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the cluster did not start")


def end_tree(pid: int) -> None:
    """Kill a process and all below it, by id."""
    try:
        root = psutil.Process(pid)
        family = [*root.children(recursive=True), root]
    except psutil.NoSuchProcess:
        return
    for process in family:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue


@pytest.fixture
def kill_tree() -> Callable[[int], None]:
    return end_tree
