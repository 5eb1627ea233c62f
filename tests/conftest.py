"""What tests of several rooms share.

Databases: one embedded server for all workers, and on it a database of its own for each test. Sweeps put on record as
trials would do it, with curves whose right verdict is known.
"""

import base64
import fcntl
import gc
import itertools
import json
import os
import pickle
import shutil
import socket
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import numpy as np
import psutil
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rlsweep import runs
from rlsweep.config.agent import AgentConfig
from rlsweep.config.differences import hyperparameter_hash
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import TrainingConfig
from rlsweep.paths import Paths
from rlsweep.runs import RECENT_EPISODES, EndReason, Episode, NewRun, Outcome, Update, recent_means
from rlsweep.settings import Settings
from rlsweep.store import keeper, recording, schema, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.store.embedded import embedded_server, program
from rlsweep.store.keeper import server_processes, stop_server
from rlsweep.store.owner import Owner
from rlsweep.sweep_records import NewSweep, Sweep

_numbers = itertools.count(1)

EPISODES = 400
"""Of every trial that is put on record."""

PASSWORD = "s3cret/with@odd:characters"


gc.disable()  # while tests are imported: a quarter of the CPU time of that, in each worker


def pytest_collection_finish() -> None:
    """Leave what lasts to the end, such as torch, Ray and three thousand tests, out of later garbage collections."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests first: they are handed out one by one, and none is to be left over for the end.

    One worker has the browser, and the site that most of its tests look at.
    """
    for item in items:
        if item.get_closest_marker("browser") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("browser"))
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def embedded_database(testrun_uid: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The template of what `database` gives: the schema applied, on an embedded server that all workers share.

    The first worker starts the server, and the last one that leaves it waits for its end and removes its files.
    """
    home = Path(tempfile.gettempdir()) / f"rlsweep-test-{testrun_uid}"
    files = Paths(_settings(home)).embedded_database
    with (tmp_path_factory.getbasetemp().parent / f"embedded-database-{testrun_uid}.lock").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        with embedded_server(files) as server:
            yield _template_on(server, files / "template.lock")
        fcntl.flock(users, fcntl.LOCK_UN)
        with suppress(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _wait_for_end(files)
            shutil.rmtree(home)


def _template_on(server: Database, lock: Path) -> Database:
    """A database with the schema, to which nobody stays connected: PostgreSQL copies no other."""
    template = Database(make_conninfo(server.url, dbname="rlsweep_template"))
    with lock.open("w") as held, psycopg.connect(server.url, autocommit=True) as connection:
        fcntl.flock(held, fcntl.LOCK_EX)
        if connection.execute("select 1 from pg_database where datname = 'rlsweep_template'").fetchone() is None:
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):  # nothing here outlives a power cut
                connection.execute(f"alter system set {setting} = off")
            connection.execute("select pg_reload_conf()")
            connection.execute("create database rlsweep_template")
            schema.upgrade(template)
    return template


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
    listen += " -c rlsweep.embedded=on"  # tests make heartbeats older than this server is
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


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def new_sweep() -> Callable[..., NewSweep]:
    """Makes planned sweeps; any field may be given."""

    def make(**given: Any) -> NewSweep:
        planned: dict[str, Any] = {
            "name": f"sweep-{next(_numbers)}",
            "patterns": ("config/agents/ppo_agent_sweep_*.yaml",),
            "mode": "smoke",
            "budget": runs.Budget(episodes=100),
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
        _wait_for_end(Paths(_settings(Path(name))).embedded_database)


def _wait_for_end(folder: Path) -> None:
    """Until no process of the embedded server in a folder is left, which takes no longer than that."""
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


@dataclass(frozen=True, kw_only=True)
class Course:
    """How a config's trials go: the chance to win rises evenly from 0.5 to `win_rate`.

    failure: why its trials ended, where they have an error
    """

    win_rate: float = 0.9
    learning_rate: float = 3e-4
    updates: int = 12
    error: str | None = None
    failure: EndReason = EndReason.FAILED


@pytest.fixture(scope="session")
def course() -> type[Course]:
    """Describes how the trials of a config go; 400 episodes each, unless they fail."""
    return Course


@pytest.fixture(scope="session")
def record_into() -> Callable[..., Sweep]:
    """Puts a sweep of courses, by variant (None is the base config), on record in a database."""
    return _record


@pytest.fixture
def record_sweep(database: Database) -> Callable[..., Sweep]:
    """The same, in this test's own database."""
    return partial(_record, database)


def _record(
    database: Database, courses: dict[str | None, Course], *, seeds: int = 3, name: str = "night", **given: Any
) -> Sweep:
    """Make a sweep of these courses by variant (None is the base config) and end its runs as they say."""
    planned = [_planned(variant, course, seed) for variant, course in courses.items() for seed in range(seeds)]
    sweep = sweeps.create(database, replace(_new_sweep(name, seeds), **given), planned)
    followed = [course for course in courses.values() for _ in range(seeds)]
    for run, course in zip(training_runs.of_sweep(database, sweep.id), followed, strict=True):
        _train(database, run.id, run.seed, course)
    return sweeps.settle(database, sweep.id)


def _new_sweep(name: str, seeds: int) -> NewSweep:
    return NewSweep(
        name=name,
        patterns=("config/agents/*.yaml",),
        mode="smoke",
        budget=runs.Budget(episodes=EPISODES),
        seeds=tuple(range(seeds)),
        base_config=TrainingConfig().model_dump(mode="json"),
        base_config_path=None,
        overrides=(),
        git_commit=None,
        git_dirty=None,
        versions={},
    )


def _planned(variant: str | None, course: Course, seed: int) -> NewRun:
    agent = AgentConfig(
        agent_id="ppo_agent",
        name=f"PPO Agent {variant or 'v1'}",
        algorithm="MaskablePPO",
        version=1,
        sweep_variant=variant,
        learning_rate=course.learning_rate,
    )
    config = RunConfig(
        agent=agent, training=TrainingConfig(), mode=Mode.SMOKE, budget=Budget(episodes=EPISODES), seed=seed
    )
    stem = f"ppo_agent_sweep_{variant}" if variant else "ppo_agent_v1"
    return NewRun(
        trial_key=f"{stem}-{seed}",
        agent_id=agent.agent_id,
        algorithm=agent.algorithm,
        version=agent.version,
        sweep_variant=variant,
        config_name=agent.name,
        config_short_name=agent.short_name,
        config_path=f"config/agents/{stem}.yaml",
        config=config.to_record(),
        config_hash=hyperparameter_hash(agent),
        seed=seed,
    )


def _train(database: Database, run_id: UUID, seed: int, course: Course) -> None:
    run = transitions.begin_attempt(database, run_id, {})
    assert run is not None
    if course.error is None:
        rng = np.random.default_rng([seed, round(1e6 * course.learning_rate)])
        chance = np.linspace(0.5, course.win_rate, EPISODES)
        steps = np.cumsum(rng.integers(8, 14, EPISODES))
        won = rng.random(EPISODES) < chance
        episodes = [
            Episode(
                episode=index + 1,
                env_steps=int(steps[index]),
                reward=1.0 if won[index] else -1.0,
                length=10,
                outcome=Outcome.WIN if won[index] else Outcome.LOSS,
                seconds=index / 100,
            )
            for index in range(EPISODES)
        ]
        means = recent_means(episodes[-RECENT_EPISODES:])
        progress = recording.Progress(
            episodes=EPISODES,
            updates=course.updates,
            env_steps=int(steps[-1]),
            mean_reward=means.mean_reward,
            win_rate=means.win_rate,
            mean_length=means.mean_length,
        )
        updates = [_update(index + 1, course.learning_rate) for index in range(course.updates)]
        batch = recording.Batch(progress=progress, episodes=episodes, updates=updates)
        recording.flush(database, run.id, run.attempt, batch)
    reason = EndReason.COMPLETED if course.error is None else course.failure
    transitions.finish(database, run.id, run.attempt, reason, course.error)


def _update(number: int, learning_rate: float) -> Update:
    return Update(
        update=number,
        env_steps=number * 300,
        policy_loss=-0.01,
        value_loss=0.4,
        entropy=1.5,
        approx_kl=0.02,
        clip_fraction=0.1,
        explained_variance=None if number == 1 else 0.2,
        gradient_steps=40,
        learning_rate=learning_rate,
        steps_per_second=1500.0,
    )
