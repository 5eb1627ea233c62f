"""A storage that is an object store: checkpoints and logs go there, come back, and are removed there.

No S3 can be had offline, so moto's takes its place: a process of its own that answers the same requests over HTTP.
"""

import hashlib
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fsspec.config import conf
from s3fs import S3FileSystem
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from rlsweep import storage as storage_module
from rlsweep.attempts.execution import WorkerContext, execute_run
from rlsweep.config.agent import AgentConfig, NetworkConfig
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import EnvironmentSpec, EvaluationConfig, TrainingConfig
from rlsweep.paths import Paths
from rlsweep.runs import NewRun, RunStatus, TrainingRun
from rlsweep.settings import Settings
from rlsweep.storage import RemotePath, check_usable, locate, sizes_below
from rlsweep.store import curves, training_runs, transitions
from rlsweep.store.database import Database

pytestmark = pytest.mark.integration

SECRET = "a-secret-that-nobody-is-shown"
STEPS = 8_192
AGENT = Path(__file__).parents[3] / "config" / "agents" / "ppo_agent_v1.yaml"
FLAGS = (
    "--agent-config", str(AGENT), "--total-timesteps", str(STEPS), "--seed", "3", "--n-steps", "256", "--n-epochs", "1",
    "--set", "environment=open_spiel/tic_tac_toe", "--set", "network.net_arch=[8]", "--set", "evaluation.enabled=false",
)  # fmt: skip

_buckets = itertools.count(1)


@pytest.fixture(scope="session")
def object_store() -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The server, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: _answers(port))
        yield server, f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def store(object_store: tuple[subprocess.Popen[bytes], str], monkeypatch: pytest.MonkeyPatch) -> RemotePath:
    """A prefix in a bucket of this test's own; a backend in this process gives up soon."""
    import fsspec

    once = {"connect_timeout": 2, "read_timeout": 2, "retries": {"max_attempts": 0}}
    access = {"key": "somebody", "secret": SECRET, "client_kwargs": {"endpoint_url": object_store[1]}}
    monkeypatch.setitem(conf, "s3", access | {"config_kwargs": once})
    bucket = f"bucket-{next(_buckets)}"
    fsspec.filesystem("s3").mkdir(bucket)
    return RemotePath(f"s3://{bucket}/some/prefix")


@pytest.fixture
def cli_on_store(cli_on_database: Any, object_store: tuple[subprocess.Popen[bytes], str], store: RemotePath) -> Any:
    """Commands whose storage it is."""
    return cli_on_database.with_environ(
        RLSWEEP_STORAGE=str(store),
        AWS_ACCESS_KEY_ID="somebody",
        AWS_SECRET_ACCESS_KEY=SECRET,
        AWS_ENDPOINT_URL=object_store[1],
    )


def until(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (found := look()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)
    return found


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def rows_of(database: Database, run: TrainingRun) -> list[tuple[Any, ...]]:
    columns = curves.episodes_of(database, [run.id])[run.id]
    return list(zip(columns.episode.tolist(), columns.env_steps.tolist(), columns.reward.tolist(), strict=True))


def uris_of(database: Database, run: TrainingRun) -> list[RemotePath]:
    """The files on record, the one to go on from first."""
    found = [locate(each.uri) for each in training_runs.checkpoints_to_go_on_from(database, run.id)]
    assert all(isinstance(each, RemotePath) for each in found)
    return found  # type: ignore[return-value]


@pytest.mark.slow
def test_a_killed_run_goes_on_from_a_uri_and_leaves_nothing_when_it_is_deleted(
    cli_on_store: Any, database: Database, settings: Settings, store: RemotePath, new_run: Callable[..., NewRun]
) -> None:
    cli = cli_on_store
    training = cli.start("train", *FLAGS, output=cli.folder / "log")
    try:
        run = until(lambda: next(iter(training_runs.list_runs(database)), None))
        until(lambda: training_runs.latest_checkpoint(database, run.id))
    finally:
        training.kill()
        training.wait()
    on_record = training_runs.checkpoints_to_go_on_from(database, run.id)
    newest = next(each for each in on_record if locate(each.uri).exists())  # it may have died before it said so
    assert newest.env_steps < STEPS, "it was killed before its end"
    content = locate(newest.uri).read_bytes()
    assert newest.uri.startswith(f"{store}/checkpoints/{run.id}/")
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (newest.sha256, newest.bytes)

    with database.connect() as connection:
        connection.execute("update training_runs set heartbeat_at = clock_timestamp() - interval '1 minute'")
    told = cli.run("train", "--resume", newest.uri).stdout
    assert f"Checkpoint:  {store}/checkpoints/{run.id}/" in told
    whole = transitions.create_single(database, new_run(config=run.config, trial_key=None))
    context = WorkerContext(database_url=database.url, settings=settings, threads=1)
    assert execute_run(whole.id, context, stop=threading.Event()) is RunStatus.COMPLETED
    assert rows_of(database, run) == rows_of(database, whole)
    (in_a_folder,) = (Path(each.uri) for each in curves.checkpoints_of(database, whole.id)[-1:])
    assert in_a_folder.is_file(), "a path is one as ever"

    folder = Paths(replace(settings, storage=store)).run_tensorboard(None, run.config_short_name, run.seed, run.id)
    assert points(folder, cli.folder / "logs") == [row[1] for row in rows_of(database, whole)]
    last = str(uris_of(database, run)[0])
    assert "10 episodes" in cli.run("eval", last, "--episodes", "10", "--opponent", last).stdout
    assert "of files" in cli.run("delete", str(run.id), "--yes").stdout
    assert sizes_below(store) == {}


def points(folder: Any, copied: Path) -> list[int]:
    """Env steps of the episodes in all event files of a run."""
    copied.mkdir()
    for file in folder.iterdir():
        (copied / file.name).write_bytes(file.read_bytes())
    read = EventAccumulator(str(copied), size_guidance={"scalars": 0})
    read.Reload()
    return [point.step for point in read.Scalars("episode/reward")]


def test_tensorboard_shows_logs_on_a_store_while_they_grow(
    cli_on_store: Any, store: RemotePath, tmp_path: Path
) -> None:
    refused = cli_on_store.run("tensorboard", expect=2).stderr
    assert f"No TensorBoard logs in {store}/tensorboard" in refused
    run = store / "tensorboard" / "single-runs" / "ppo_agent_v1-seed0-1234abcd"
    writer = EventFileWriter(str(tmp_path / "events"))

    def write(step: int) -> None:
        value = Summary.Value(tag="episode/reward", simple_value=1.0)
        writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=[value])))
        writer.flush()
        for file in (tmp_path / "events").iterdir():
            (run / file.name).write_bytes(file.read_bytes())

    write(10)
    output = cli_on_store.folder / "said"
    server = cli_on_store.start("tensorboard", "--port", "0", output=output)
    try:
        address = until(
            lambda: re.search(rf"shows {store}/tensorboard at (http://127\.0\.0\.1:\d+/) ", output.read_text())
        )
        ask = f"{address[1]}data/plugin/scalars/scalars?run=single-runs%2F{run.name}&tag=episode%2Freward"
        until(lambda: _steps(ask) == [10])
        write(20)
        until(lambda: _steps(ask) == [10, 20])
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(20) == 130
    writer.close()


def _steps(address: str) -> list[int]:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return [point[1] for point in json.load(answer)]
    except urllib.error.HTTPError:  # it has not read them yet
        return []


@pytest.fixture
def settings_on_store(settings: Settings, store: RemotePath) -> Settings:
    return replace(settings, storage=store)


@pytest.fixture
def planned(database: Database, new_run: Callable[..., NewRun]) -> Callable[[], TrainingRun]:
    """Puts a run of 8 rollouts on record, pending; it saves a checkpoint at the end of almost every one."""

    def make() -> TrainingRun:
        config = RunConfig(
            agent=AgentConfig(
                agent_id="test_agent",
                name="Test",
                algorithm="MaskablePPO",
                version=1,
                n_steps=64,
                n_epochs=1,
                network=NetworkConfig(net_arch=(8,)),
            ),
            training=TrainingConfig(
                environment=EnvironmentSpec(id="open_spiel/tic_tac_toe"),
                checkpoint_interval_episodes=5,
                evaluation=EvaluationConfig(every_rollouts=2, episodes=2),
            ),
            mode=Mode.FULL,
            budget=Budget(total_timesteps=512),
            seed=3,
        )
        return transitions.create_single(database, new_run(config=config.to_record(), trial_key=None))

    return make


class StopAt(threading.Event):
    """Set once it was looked at so often, and calls `then` first."""

    def __init__(self, looks: int, then: Callable[[], None]) -> None:
        super().__init__()
        self._left, self._then = looks, then

    def is_set(self) -> bool:
        self._left -= 1
        if self._left == 0:
            self._then()
        return super().is_set()


@pytest.fixture
def work(database: Database, settings_on_store: Settings) -> Callable[..., RunStatus]:
    """Takes a run up, in this process; `then` is called after so many looks at whether to stop, and may stop it."""
    context = WorkerContext(database_url=database.url, settings=settings_on_store, threads=1)

    def work(run: TrainingRun, looks: int = -1, then: Callable[[], None] | None = None) -> RunStatus:
        if training_runs.get(database, run.id).status.is_finished:
            transitions.reopen(database, run.id)
        stop = StopAt(looks, lambda: then() if then is not None else stop.set())
        return execute_run(run.id, context, stop=stop)

    return work


def test_a_damaged_object_gives_way_to_the_one_before(database: Database, planned: Any, work: Any) -> None:
    whole, run = planned(), planned()
    assert work(whole) is RunStatus.COMPLETED
    assert work(run, looks=350) is RunStatus.STOPPED
    newest, before, *_ = (uri for uri in uris_of(database, run) if uri.name != "best.zip")
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(bytes(content))
    assert work(run) is RunStatus.COMPLETED
    warning = training_runs.get(database, run.id).metadata["warning"]
    assert warning == f"Damaged checkpoints: {newest}. The run continued from {before}."
    assert rows_of(database, run) == rows_of(database, whole)
    on_record = [locate(each.uri) for each in curves.checkpoints_of(database, run.id)]
    assert set(on_record) == set(on_record[0].parent.iterdir()), "no object is left that is not on record"
    assert {uri.name for uri in on_record} >= {"best.zip"}
    assert len(on_record) <= 3 + 2 + 1, "as many as the plan reckons with"


def test_a_store_that_goes_away_fails_the_run_which_goes_on_when_it_is_back(
    database: Database,
    planned: Any,
    work: Any,
    object_store: tuple[subprocess.Popen[bytes], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, server = planned(), object_store[0]
    with monkeypatch.context() as impatient:
        impatient.setattr(storage_module, "MAX_RETRY_SECONDS", 0.5)
        impatient.setattr(storage_module, "CALL_SECONDS", 10.0)  # a busy machine answers in time
        try:
            assert work(run, looks=350, then=lambda: os.kill(server.pid, signal.SIGSTOP)) is RunStatus.FAILED
        finally:
            server.send_signal(signal.SIGCONT)
    error = training_runs.get(database, run.id).error
    assert error is not None
    assert "StorageUnavailableError: s3://bucket-" in error
    assert "Check RLSWEEP_STORAGE" in error
    assert SECRET not in error
    begun = training_runs.latest_checkpoint(database, run.id)
    assert begun is not None
    assert work(run) is RunStatus.COMPLETED
    numbers = [row[0] for row in rows_of(database, run)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert "warning" not in training_runs.get(database, run.id).metadata


def test_a_store_that_is_away_as_a_run_begins_is_waited_for(
    planned: Any, work: Any, object_store: tuple[subprocess.Popen[bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(S3FileSystem, "retries", 1)  # or the backend itself would wait for ten seconds
    run, server = planned(), object_store[0]
    assert work(run, looks=350) is RunStatus.STOPPED
    server.send_signal(signal.SIGSTOP)
    back = threading.Timer(6.0, server.send_signal, (signal.SIGCONT,))
    back.start()
    try:
        assert work(run) is RunStatus.COMPLETED
    finally:
        back.cancel()
        server.send_signal(signal.SIGCONT)


def test_a_store_that_cannot_be_used_is_refused_before_anything_starts(
    cli_on_store: Any, database: Database, store: RemotePath
) -> None:
    check_usable(store)
    assert sizes_below(store) == {}, "nothing is left of asking"
    for uri, reason in (
        ("s3://no-such-bucket/prefix", "The specified bucket does not exist"),
        ("gs://bucket/prefix", "needs the package gcsfs: pip install 'rlsweep[gcs]'"),
        ("nonsense://bucket/prefix", "Protocol not known: nonsense"),
    ):
        refused = cli_on_store.with_environ(RLSWEEP_STORAGE=uri).run("train", *FLAGS, expect=2).stderr
        assert refused.startswith(f"Error: {uri} cannot be used: ")
        assert reason in refused
        assert "RLSWEEP_STORAGE" in refused
        assert SECRET not in refused
    assert training_runs.list_runs(database) == []
