"""Exit code 2 says that nothing was started: what goes away once work has begun ends a command with 1."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rlsweep.attempts import execution, recorder
from rlsweep.cli.app import main
from rlsweep.places import following
from rlsweep.runs import RunStatus
from rlsweep.store import sweeps
from rlsweep.store.database import Database
from rlsweep.store.retry import retry_while_away

pytestmark = pytest.mark.integration

AGENT = """\
agent_id: tiny
name: Tiny
algorithm: PPO
version: 1
n_steps: 64
batch_size: 32
n_epochs: 1
network: {net_arch: [8]}
"""

GAME = """\
from gymnasium.envs.classic_control import CartPoleEnv


class Game(CartPoleEnv):
    steps = 0
    at_step = staticmethod(lambda step: None)

    def step(self, action):
        Game.steps += 1
        Game.at_step(Game.steps)
        return super().step(action)
"""

TRAIN = (
    *("train", "--agent-config", "tiny_v1.yaml", "--mode", "full", "--set", "environment=game_of_outages:Game"),
    *("--set", "evaluation.enabled=false", "--total-timesteps", "512"),
)


@pytest.fixture
def call(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs a command in this process, in a folder and a home of its own; returns its exit code."""
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "tiny_v1.yaml").write_text(AGENT)
    (folder / "game_of_outages.py").write_text(GAME)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    environ = {
        "RLSWEEP_HOME": str(tmp_path / "home"),
        "RLSWEEP_STORAGE": str(tmp_path / "storage"),
        "RLSWEEP_DATABASE_URL": database.url,
    }

    def run(*argv: str, **given: str) -> int:
        return main(argv, environ | given)

    return run


@pytest.fixture
def at_step(call: Callable[..., int]) -> Iterator[Callable[[int, Callable[[], object]], None]]:
    """Has something happen at one env step of the game."""
    import game_of_outages  # type: ignore[import-not-found]

    def have(step: int, happen: Callable[[], object]) -> None:
        game_of_outages.Game.steps = 0
        game_of_outages.Game.at_step = staticmethod(lambda now: happen() if now == step else None)

    yield have
    del sys.modules["game_of_outages"]


@pytest.fixture
def lose(database: Database) -> Iterator[Callable[[], None]]:
    """Ends every connection to the database, and lets nobody in again until the test ends."""
    name = conninfo_to_dict(database.url)["dbname"]

    def execute(statement: str) -> None:
        with psycopg.connect(make_conninfo(database.url, dbname="template1"), autocommit=True) as connection:
            connection.execute(statement)

    def go() -> None:
        execute(f"alter database {name} allow_connections false")
        execute(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")

    yield go
    execute(f"alter database {name} allow_connections true")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits longer than a moment for the database."""

    def retry(call: Callable[[], Any], *, seconds: float, **given: Any) -> Any:
        return retry_while_away(call, seconds=min(seconds, 0.1), **given)

    for module in (execution, recorder):
        monkeypatch.setattr(module, "retry_while_away", retry)
    monkeypatch.setattr(following, "AWAY_SECONDS", 0.1)


@pytest.fixture
def running(database: Database, new_sweep: Any, new_run: Any) -> str:
    """The name of a sweep that a driver elsewhere has."""
    config = {"budget": {"episodes": 100, "total_timesteps": None}}
    sweep = sweeps.create(database, new_sweep(name="night"), [new_run(config=config)])
    sweeps.take_lease(database, sweep.id, "elsewhere")
    return sweep.name


def runs_of(database: Database) -> list[tuple[str, str]]:
    """Status and error of each run on record."""
    with database.readonly() as connection:
        rows = connection.execute("select status, error from training_runs").fetchall()
    return [(row["status"], row["error"]) for row in rows]


def test_a_database_lost_in_the_middle_of_a_run(
    call: Any, at_step: Any, lose: Any, impatient: None, capsys: pytest.CaptureFixture[str]
) -> None:
    at_step(200, lose)
    assert call(*TRAIN) == 1
    said = capsys.readouterr().err
    assert "not currently accepting connections" in said
    assert "Traceback" not in said


def test_a_database_lost_in_the_middle_of_a_run_keeps_its_records(
    call: Any, at_step: Any, lose: Any, impatient: None, tmp_path: Path
) -> None:
    at_step(200, lose)
    call(*TRAIN)
    (spooled,) = (tmp_path / "home" / "spool").iterdir()
    assert spooled.read_text().strip()


@pytest.mark.parametrize("command", [("attach", "night"), ("status", "night", "--follow")], ids=lambda words: words[0])
def test_a_database_lost_while_a_sweep_is_followed(
    call: Any, running: str, lose: Any, impatient: None, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...],
) -> None:  # fmt: skip
    shown = following.overview

    def show_and_lose(*arguments: Any, **given: Any) -> Any:
        seen = shown(*arguments, **given)
        lose()
        return seen

    monkeypatch.setattr(following, "overview", show_and_lose)
    assert call(*command) == 1
    assert "not currently accepting connections" in capsys.readouterr().err


@pytest.mark.parametrize("command", [("attach", "night"), ("status", "night", "--follow")], ids=lambda words: words[0])
def test_a_sweep_deleted_while_it_is_followed(
    call: Any, database: Database, running: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...],
) -> None:  # fmt: skip
    shown = following.overview

    def show_and_delete(*arguments: Any, **given: Any) -> Any:
        seen = shown(*arguments, **given)
        with database.connect() as connection:
            connection.execute("delete from training_runs")
            connection.execute("delete from sweeps")
        return seen

    monkeypatch.setattr(following, "overview", show_and_delete)
    assert call(*command) == 1
    assert "Sweep not found" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [TRAIN, ("submit", "tiny_v1.yaml"), ("attach", "night"), ("status", "night", "--follow"), ("runs",)],
    ids=lambda words: words[0],
)
def test_a_database_that_is_away_before_the_start(
    call: Any, running: str, lose: Any, tmp_path: Path, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    lose()
    assert call(*command) == 2
    assert "not currently accepting connections" in capsys.readouterr().err
    assert not (tmp_path / "storage").exists()


def test_storage_that_vanishes_in_the_middle_of_a_run(
    call: Any, at_step: Any, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    storage = tmp_path / "storage"

    def vanish() -> None:
        shutil.rmtree(storage, ignore_errors=True)
        storage.write_text("no folder")

    at_step(200, vanish)
    assert call(*TRAIN) == 1
    ((status, error),) = runs_of(database)
    assert status == RunStatus.FAILED
    assert str(storage) in error
    said = capsys.readouterr()
    assert "rlsweep train --resume" in said.out
    assert "Traceback" not in said.err


def test_storage_that_is_away_before_the_start(
    call: Any, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*TRAIN, RLSWEEP_STORAGE="s3x://nowhere/at-all") == 2
    assert "s3x://nowhere/at-all cannot be used" in capsys.readouterr().err
    assert runs_of(database) == []


def test_a_cluster_that_is_away_before_the_start(
    call: Any, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing listens on port 1."""
    assert call("submit", "tiny_v1.yaml", "--address", "http://127.0.0.1:1") == 2
    assert "Jobs API cannot be reached at http://127.0.0.1:1" in capsys.readouterr().err
    assert sweeps.list_recent(database, 1) == []
