"""A sweep whose every part is killed at random ends as its runs do that train in peace.

`make test` kills a few times; `make chaos` sets RLSWEEP_CHAOS_KILLS to a hundred and more.
"""

import hashlib
import io
import json
import os
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise, product
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest
from in_process import call
from victims import Command, Nodes, Server, environ_of, victims

from rlsweep.config.run import RunConfig
from rlsweep.deciding.race import decide
from rlsweep.jsonable import jsonable
from rlsweep.paths import Paths
from rlsweep.reports.race_record import inputs_of
from rlsweep.runs import RunStatus, TrainingRun
from rlsweep.settings import Settings
from rlsweep.store import curves, races, schema, sweeps, training_runs
from rlsweep.store.database import Database
from rlsweep.sweep_records import SweepStatus
from tests.list_recorder import ListRecorder

pytestmark = [pytest.mark.integration, pytest.mark.slow]

KILLS = int(os.environ.get("RLSWEEP_CHAOS_KILLS", "4"))
SEED = int(os.environ.get("RLSWEEP_CHAOS_SEED", "1"))
BETWEEN_S = (0.5, 3.0)
CONFIGS, SEEDS = (4, 2) if KILLS > 10 else (2, 1)
STEPS = 256 * (16 + KILLS)
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "c4a05" * 12}
AGENT = """\
agent_id: chaos
name: Chaos {number}
algorithm: MaskablePPO
version: 1
sweep_variant: v{number}
learning_rate: {number}.0e-4
n_steps: 256
n_epochs: 2
network: {{net_arch: [16]}}
"""

Rows = dict[tuple[str, int], list[tuple[Any, ...]]]


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rlsweep-chaos-", ignore_cleanup_errors=True) as name:
        for number in range(1, CONFIGS + 1):
            (Path(name) / f"chaos_sweep_v{number}.yaml").write_text(AGENT.format(number=number))
        for sweep, seconds in (("chaos", 0.004), ("peace", 0.0)):
            environment = {"id": "slow_games:SlowConnectFour", "kwargs": {"seconds": seconds}}
            base = {"environment": environment, "checkpoint_interval_episodes": 20, "evaluation": {"enabled": False}}
            (Path(name) / f"{sweep}.json").write_text(json.dumps(base))
        yield Path(name)


PATTERN = ["chaos_sweep_*.yaml", "--base-config", "chaos.json"]
BUDGET = ["--mode", "full", "--total-timesteps", str(STEPS)]
FLAGS = ["--cpus-per-trial", "0.25"]


def recorded(database: Database, runs: list[TrainingRun]) -> Rows:
    """Each run's episodes without the clock, by config and seed."""
    rows = {}
    for run in runs:
        columns = curves.episodes_of(database, [run.id])[run.id]
        parts = (columns.episode, columns.env_steps, columns.reward, columns.length, columns.outcome)
        rows[run.config_short_name, run.seed] = list(zip(*(part.tolist() for part in parts), strict=True))
    return rows


def in_peace(folder: Path, server: Server) -> Rows:
    """What the sweep's runs record if they train one after the other in this process, with nothing to wait for."""
    environ = environ_of(folder / "peace", RLSWEEP_DATABASE_URL=server.database.url)
    for config, seed in product(sorted(folder.glob("chaos_sweep_*.yaml")), range(SEEDS)):
        agent = ("--agent-config", config.name, "--base-config", "peace.json", "--set", f"seed={seed}")
        call(("train", *agent, *BUDGET), environ, folder, io.StringIO).expect(0)
    return recorded(server.database, training_runs.list_runs(server.database))


def test_whatever_is_killed_nothing_is_lost(folder: Path) -> None:
    with _chaos(folder, "submit", "--seeds", str(SEEDS), with_peace=True) as (database, runs, peace):
        rows = recorded(database, runs)
        assert [run.status for run in runs] == [RunStatus.COMPLETED] * (CONFIGS * SEEDS)
        for key, episodes in rows.items():
            assert [episode[0] for episode in episodes] == list(range(1, len(episodes) + 1)), key
            assert all(before[1] < after[1] for before, after in pairwise(episodes)), key
        assert rows == peace


@pytest.mark.skipif(KILLS <= 10, reason="make chaos; its short form is tests/integration/sweep/test_race.py")
def test_whatever_is_killed_a_race_decides_as_its_record_says(folder: Path) -> None:
    with _chaos(folder, "race", "--tolerance", "25%") as (database, runs, _):
        assert {run.status for run in runs} <= {RunStatus.COMPLETED, RunStatus.PAUSED}
        made = races.decisions(database, sweeps.get(database, "chaos").id)
        print(f"{len(made)} decisions")
        assert [each.number for each in made] == list(range(1, len(made) + 1))
        for each in made:
            settings, record, free = inputs_of(each)
            assert jsonable(decide(settings, record, free=free)) == each.decision
        seen = {run["run_id"]: run for run in made[-1].record["runs"]}
        for run in runs:
            recorder = _undisturbed(run)
            episodes = [(each.episode, each.env_steps, each.reward, each.length) for each in recorder.episodes]
            assert [row[:4] for row in recorded(database, [run])[run.config_short_name, run.seed]] == episodes
            scores = [each.mean_reward for each in recorder.evaluations]
            assert [each.mean_reward for each in curves.evaluations_of(database, [run.id])[run.id]] == scores
            known = [score for score in (seen[str(run.id)]["rung"], seen[str(run.id)]["full"]) if score is not None]
            assert known == scores[: len(known)], "what was decided from is what trains in peace"


def _undisturbed(run: TrainingRun) -> ListRecorder:
    """What the run records if nothing waits and nothing is killed."""
    from rlsweep.training.train import train

    record = json.loads(json.dumps(run.config))
    record["training"]["environment"]["kwargs"]["seconds"] = 0.0
    recorder = ListRecorder()
    with tempfile.TemporaryDirectory() as name:
        config = RunConfig.from_record(record)
        train(config, recorder, checkpoint_folder=Path(name), tensorboard_folder=None, pause_at=run.pause_at)
    return recorder


@contextmanager
def _chaos(
    folder: Path, verb: str, *flags: str, with_peace: bool = False
) -> Iterator[tuple[Database, list[TrainingRun], Rows]]:
    """Drive a sweep while everything is killed; give what is on record at its end, and what trains in peace."""
    rng = Random(SEED)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = Server(_made(folder / "server"), free.getsockname()[1])
    server.start()
    home = folder / "home"
    environ = environ_of(home, RLSWEEP_DATABASE_URL=server.database.url, TMPDIR=str(_made(folder / "tmp")), **TOKEN)
    nodes = None
    try:
        schema.upgrade(server.database)
        peace = in_peace(folder, server) if with_peace else {}
        nodes = Nodes(2, environ, folder / "nodes.log")
        command = Command(folder, environ, ["--address", nodes.address, *FLAGS])
        command.run(verb, *PATTERN, *flags, *BUDGET, "--name", "chaos")
        _wait_for_episodes(server.database, command)
        killed = _kill(server, nodes, command, Paths(_settings(home)).spool, rng)
        _finish(server.database, command)
        print(f"\nchaos, seed {SEED}: {dict(killed)}, {killed.total()} kills")
        runs = training_runs.of_sweep(server.database, sweeps.get(server.database, "chaos").id)
        print(f"attempts: {[run.attempt for run in runs]}")
        yield server.database, runs, peace
        _check_files(server.database, runs, home)
    finally:
        if nodes is not None:
            nodes.stop()
        server.stop()
    deadline = time.monotonic() + 30
    while (left := _processes(home)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for process in left:
        process.kill()
    assert not left


def _kill(server: Server, nodes: Nodes, command: Command, spool: Path, rng: Random) -> Counter[str]:
    """Kill KILLS times, in rounds of all victims; wherever the driver is dead, `resume` takes its place."""
    kill = victims(server, nodes, command, spool, rng)
    killed: Counter[str] = Counter()
    waiting: list[str] = []
    while killed.total() < KILLS:
        time.sleep(rng.uniform(*BETWEEN_S))
        waiting = waiting or rng.sample(list(kill), len(kill))
        name = waiting.pop()
        if kill[name]():
            killed[name] += 1
        if not _is_driven(server.database, command):
            break
    return killed


def _is_driven(database: Database, command: Command) -> bool:
    """See to it that somebody drives the sweep; False once it has come to its end.

    A dead driver's lease grows old by the database's clock, which begins anew with the database: where that comes and
    goes as often as here, it has to be left alone meanwhile.
    """
    deadline = time.monotonic() + 180
    while not command.is_at_work(sweeps.get(database, "chaos").driver):
        assert time.monotonic() < deadline, command.said
        assert command.process is not None
        if command.process.poll() is not None:
            sweep = sweeps.get(database, "chaos")
            runs = training_runs.of_sweep(database, sweep.id)
            ended = all(run.status.is_finished for run in runs)
            has_failed = any(run.status is RunStatus.FAILED for run in runs)
            if sweep.status is SweepStatus.COMPLETED and not has_failed:
                return False
            command.run("retry" if ended and has_failed else "resume", "chaos")
        time.sleep(0.5)
    return True


def _finish(database: Database, command: Command) -> None:
    """Let the sweep end, resumed and retried until every run is complete."""
    deadline = time.monotonic() + 1800
    while _is_driven(database, command):
        assert time.monotonic() < deadline, command.said
        time.sleep(1)
    assert command.process is not None
    command.process.wait(60)


def _wait_for_episodes(database: Database, command: Command) -> None:
    deadline = time.monotonic() + 300
    while not any(run.episodes for run in training_runs.list_runs(database) if run.status is RunStatus.RUNNING):
        assert time.monotonic() < deadline, command.said
        time.sleep(0.2)


def _check_files(database: Database, runs: list[TrainingRun], home: Path) -> None:
    """Every checkpoint on record is there and sound; nothing lies about that is on no record."""
    paths = Paths(_settings(home))
    for run in runs:
        on_record = {Path(each.uri): each.sha256 for each in curves.checkpoints_of(database, run.id)}
        assert set(paths.run_checkpoints(run.id).iterdir()) == set(on_record)
        for path, digest in on_record.items():
            assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
    assert list(paths.spool.glob("*")) == []


def _processes(home: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("RLSWEEP_HOME") == str(home) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def _settings(home: Path) -> Settings:
    return Settings(home=home, storage=home, database_url=None)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
