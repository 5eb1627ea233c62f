"""Databases for tests: one embedded server a test process, and on it a database of its own for each test."""

import base64
import itertools
import json
import os
import pickle
import socket
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rlsweep.paths import Paths
from rlsweep.runs import NewRun, NewSweep
from rlsweep.settings import Settings
from rlsweep.store import keeper, schema
from rlsweep.store.database import Database
from rlsweep.store.embedded import embedded_server, program
from rlsweep.store.keeper import server_processes, stop_server
from rlsweep.store.owner import Owner

_numbers = itertools.count(1)

PASSWORD = "s3cret/with@odd:characters"


@pytest.fixture(scope="session")
def embedded_database() -> Iterator[Database]:
    """A running embedded server with the schema applied: the template of what `database` gives."""
    with _home() as home, embedded_server(Paths(_settings(home)).embedded_database) as database:
        schema.upgrade(database)
        yield database


@pytest.fixture(scope="session")
def password_server() -> Iterator[Database]:
    """A server as a user would have one: over TCP, with a password."""
    with tempfile.TemporaryDirectory(prefix="rlsweep-test-") as name:
        yield from _password_server(Path(name))


def _password_server(folder: Path) -> Iterator[Database]:
    owner = Owner.for_this_process()
    owner.give(folder)
    owner.open_way_to(folder)
    password_file = folder / "password"
    password_file.write_text(PASSWORD)
    owner.give(password_file)
    data = folder / "data"
    options = ["--username=someone", "--auth=scram-sha-256", f"--pwfile={password_file}", "--no-sync"]
    owner.run([program("initdb"), "-D", data, *options])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    listen = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -p {port}"
    owner.run([program("pg_ctl"), "start", "-D", data, "-l", folder / "log", "-o", listen, "-w", "-s"])
    try:
        database = Database(f"postgresql://someone:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/postgres")
        schema.upgrade(database)
        yield database
    finally:
        stop_server(data)
        assert not server_processes(data)


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder in which an embedded server may run; the test fails if it leaves a process behind."""
    with _home() as folder:
        yield folder


@pytest.fixture
def database(
    embedded_database: Database, copy_of: Callable[[Database], AbstractContextManager[Database]]
) -> Iterator[Database]:
    """An empty database with the schema applied, for this test alone."""
    with copy_of(embedded_database) as fresh:
        yield fresh


@pytest.fixture(scope="session")
def copy_of() -> Callable[[Database], AbstractContextManager[Database]]:
    """A context with a copy of a database on the same server, dropped at the end."""
    return _copy


@pytest.fixture(scope="session")
def processes_of() -> Callable[[Path], list[psutil.Process]]:
    """Finds the processes of the embedded server in a folder, its keeper included; zombies left out."""
    return _processes_of


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    """Settings over `database`, with a home and a storage folder for this test alone."""
    return Settings(home=tmp_path / "home", storage=tmp_path / "storage", database_url=database.url)


@pytest.fixture
def new_run() -> Callable[..., NewRun]:
    """Makes planned runs; any field may be given."""

    def make(**given: Any) -> NewRun:
        number = next(_numbers)
        planned: dict[str, Any] = {
            "trial_key": f"trial-{number}",
            "agent_id": "ppo_agent",
            "algorithm": "MaskablePPO",
            "version": 1,
            "sweep_variant": "lr_high",
            "config_name": "ppo_agent_sweep_lr_high",
            "config_short_name": "ppo_agent_lr_high",
            "config_path": "config/agents/ppo_agent_sweep_lr_high.yaml",
            "config": {"agent": {"learning_rate": 0.001}, "seed": 0},
            "config_hash": "c0ffee",
            "seed": 0,
        }
        return NewRun(**(planned | given))

    return make


@pytest.fixture
def new_sweep() -> Callable[..., NewSweep]:
    """Makes planned sweeps; any field may be given."""

    def make(**given: Any) -> NewSweep:
        planned: dict[str, Any] = {
            "name": f"sweep-{next(_numbers)}",
            "patterns": ("config/agents/ppo_agent_sweep_*.yaml",),
            "mode": "smoke",
            "budget": {"episodes": 100, "total_timesteps": None},
            "seeds": (0,),
            "base_config": {"name": "smoke"},
            "base_config_path": None,
            "overrides": (),
            "git_commit": None,
            "git_dirty": None,
            "versions": {"torch": "2.13.0"},
        }
        return NewSweep(**(planned | given))

    return make


class _Creates:
    """Creates the file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self._marker}",)


@pytest.fixture(scope="session")
def poison() -> Callable[..., Path]:
    """Copies an SB3 zip with some members replaced by a pickle that creates the file `marker`."""

    def copy(sound: Path, poisoned: Path, marker: Path, *members: str) -> Path:
        payload = pickle.dumps(_Creates(marker), protocol=2)  # the one that torch takes without a warning
        hidden = {":type:": "<class 'dict'>", ":serialized:": base64.b64encode(payload).decode()}
        contents = dict.fromkeys(members, payload)
        if "data" in members:  # JSON, as SB3 reads it, with a pickle in it
            contents["data"] = json.dumps({"policy_class": hidden}).encode()
        with zipfile.ZipFile(sound) as archive, zipfile.ZipFile(poisoned, "w") as copied:
            for name in {*archive.namelist(), *members}:
                copied.writestr(name, contents[name] if name in members else archive.read(name))
        return poisoned

    return copy


@contextmanager
def _home() -> Iterator[Path]:
    # Not below pytest's own folder: each pytest that starts closes that to other users, and as root the server is one.
    with tempfile.TemporaryDirectory(prefix="rlsweep-test-") as name:
        yield Path(name)
        folder = Paths(_settings(Path(name))).embedded_database
        deadline = time.monotonic() + 30
        while left := _processes_of(folder):
            assert time.monotonic() < deadline, f"left behind: {left}"
            time.sleep(0.02)


def _settings(home: Path) -> Settings:
    return Settings(home=home, storage=home, database_url=None)


@contextmanager
def _copy(template: Database) -> Iterator[Database]:
    parts = conninfo_to_dict(template.url)
    name = f"test_{os.getpid()}_{next(_numbers)}"
    server = make_conninfo(template.url, dbname="template1")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'create database {name} template "{parts["dbname"]}"')
    try:
        yield Database(make_conninfo(template.url, dbname=name))
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)")


def _processes_of(folder: Path) -> list[psutil.Process]:
    keepers = [
        process
        for process in psutil.process_iter(["cmdline"])
        if process.info["cmdline"] and process.info["cmdline"][-2:] == [keeper.__file__, str(folder)]
    ]
    return keepers + keeper.server_processes(folder / "data")
