"""While the database is away: what a trial records waits on disk, and arrives once."""

import json
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest
from psycopg.conninfo import make_conninfo

from rlsweep.attempts import spool as spooling
from rlsweep.attempts.recorder import StoreRecorder
from rlsweep.attempts.spool import Spool, send_left
from rlsweep.errors import SpoolError, SpoolLostError, StoreUnavailableError
from rlsweep.paths import Paths
from rlsweep.runs import Checkpoint, Counters, EndReason, Episode, Outcome, RunStatus, TrainingRun, Update
from rlsweep.settings import Settings
from rlsweep.store import curves, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.store.embedded import embedded_server
from rlsweep.store.keeper import postmaster_pid, server_processes
from rlsweep.store.opening import open_database
from rlsweep.store.recording import Batch, Progress

pytestmark = [pytest.mark.integration, pytest.mark.slow]

NOWHERE = Database("postgresql://nobody@127.0.0.1:1/nothing")


def episode(number: int) -> Episode:
    return Episode(
        episode=number, env_steps=10 * number, reward=0.5 * number, length=10, outcome=Outcome.DRAW, seconds=number / 7
    )


def batch(*numbers: int, **given: Any) -> Batch:
    progress = Progress(episodes=numbers[-1], updates=0, env_steps=10 * numbers[-1])
    return Batch(progress=progress, episodes=[episode(number) for number in numbers], **given)


UPDATE = Update(
    update=1, env_steps=20, policy_loss=float("nan"), value_loss=0.1, entropy=1.0, approx_kl=None, clip_fraction=0.0,
    explained_variance=None, gradient_steps=8, learning_rate=1e-3, steps_per_second=9.0,
)  # fmt: skip
CHECKPOINT = Checkpoint(episode=2, env_steps=20, uri="/c/2.zip", sha256="ab", bytes=7)


@pytest.fixture
def run(database: Database, new_run: Callable[..., Any]) -> TrainingRun:
    started = transitions.begin_attempt(database, transitions.create_single(database, new_run()).id, {})
    assert started is not None
    return started


def recorded(database: Database, run: TrainingRun) -> list[int]:
    return curves.episodes_of(database, [run.id])[run.id].episode.tolist()


def spool_size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def recorder_of(database: Database, run: TrainingRun, folder: Path, **given: Any) -> StoreRecorder:
    spool = Spool(folder, run.id, run.attempt)
    defaults: dict[str, Any] = {"on_record": (), "stop": threading.Event(), "stop_elsewhere": lambda: False}
    return StoreRecorder(database, run, spool=spool, **(defaults | given))


# the file


def test_what_is_kept_comes_back_as_it_was(tmp_path: Path) -> None:
    spool = Spool(tmp_path, uuid4(), 1)
    first = batch(1, 2, checkpoints=[CHECKPOINT], dropped_uris=["/c/1.zip"], facts={"engine": "fast"})
    second = batch(3, began_at_env_steps=20)
    assert spool.is_empty
    spool.keep(first)
    spool.keep(second)
    assert [json.dumps(asdict(kept)) for kept in spool.batches()] == [json.dumps(asdict(b)) for b in (first, second)]
    assert [kept.episodes for kept in spool.batches()] == [first.episodes, second.episodes]
    spool.clear()
    assert spool.is_empty
    assert list(tmp_path.iterdir()) == []


def test_what_was_not_finite_is_kept_too(tmp_path: Path) -> None:
    spool = Spool(tmp_path, uuid4(), 1)
    spool.keep(batch(1, updates=[UPDATE]))
    ((kept,),) = [each.updates for each in spool.batches()]
    assert kept.policy_loss != kept.policy_loss
    assert replace(kept, policy_loss=0.0) == replace(UPDATE, policy_loss=0.0)


@pytest.mark.parametrize("harm", ["removed", "torn", "garbled"])
def test_losing_any_of_it_is_an_error(tmp_path: Path, harm: str) -> None:
    spool = Spool(tmp_path, uuid4(), 1)
    spool.keep(batch(1))
    spool.keep(batch(2))
    content = spool.path.read_bytes()
    if harm == "removed":
        spool.path.unlink()
    else:
        spool.path.write_bytes(content[:-9] if harm == "torn" else content.replace(b"episodes", b"apisodes"))
    with pytest.raises(SpoolLostError, match=r"Resume the run from its last checkpoint"):
        list(spool.batches())


def test_it_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooling, "MOST_BYTES", 1000)
    spool = Spool(tmp_path, uuid4(), 1)
    spool.keep(batch(1))
    spool.keep(batch(2))
    with pytest.raises(SpoolError, match="The database was unreachable for too long"):
        spool.keep(batch(*range(3, 20)))
    assert spool.path.stat().st_size <= 1000


def test_a_full_disk_is_named() -> None:
    spool = Spool(Path("/dev/full-as-it-were"), uuid4(), 1)
    spool.path = Path("/dev/full")
    with pytest.raises(SpoolError, match=r"/dev/full: No space left on device\. Free some space"):
        spool.keep(batch(1))


# what a dead process left


def test_what_a_dead_attempt_left_is_sent_before_the_next(database: Database, run: TrainingRun, tmp_path: Path) -> None:
    spool = Spool(tmp_path, run.id, run.attempt)
    spool.keep(batch(1, 2, checkpoints=[CHECKPOINT]))
    spool.keep(batch(3))
    with spool.path.open("ab") as file:
        file.write(json.dumps({"progress": "torn"}).encode()[:-3])
    with pytest.raises(StoreUnavailableError):
        send_left(NOWHERE, tmp_path, run.id)
    send_left(database, tmp_path, run.id)
    assert recorded(database, run) == [1, 2, 3]
    assert training_runs.latest_checkpoint(database, run.id) == CHECKPOINT
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("reason", [EndReason.STOPPED, EndReason.FAILED])
@pytest.mark.parametrize("taken_up", [False, True])
def test_what_a_dead_attempt_left_is_sent_whatever_became_of_the_run(
    database: Database, run: TrainingRun, tmp_path: Path, reason: EndReason, taken_up: bool
) -> None:
    Spool(tmp_path, run.id, run.attempt).keep(batch(1, 2, checkpoints=[CHECKPOINT]))
    transitions.finish(database, run.id, run.attempt, reason)
    if taken_up:
        transitions.reopen(database, run.id)
    before = training_runs.get(database, run.id).status
    send_left(database, tmp_path, run.id)
    assert recorded(database, run) == [1, 2]
    assert training_runs.latest_checkpoint(database, run.id) == CHECKPOINT
    assert training_runs.get(database, run.id).status is before
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_begins_anew_takes_nothing_of_what_was_left(
    database: Database, new_sweep: Callable[..., Any], new_run: Callable[..., Any], tmp_path: Path
) -> None:
    sweep = sweeps.create(database, new_sweep(), [new_run()])
    (run,) = training_runs.of_sweep(database, sweep.id)
    transitions.begin_attempt(database, run.id, {})
    Spool(tmp_path, run.id, 1).keep(batch(1, 2, checkpoints=[CHECKPOINT]))
    transitions.finish(database, run.id, 1, EndReason.FAILED)
    transitions.take_up(database, sweep.id, {RunStatus.FAILED}, from_start=True)
    send_left(database, tmp_path, run.id)
    assert recorded(database, run) == []
    assert training_runs.latest_checkpoint(database, run.id) is None
    begun = transitions.begin_attempt(database, run.id, {})
    assert begun is not None
    assert not begun.begins_anew


def test_what_an_older_attempt_left_is_of_no_more_use(database: Database, run: TrainingRun, tmp_path: Path) -> None:
    Spool(tmp_path, run.id, run.attempt).keep(batch(1))
    Spool(tmp_path, uuid4(), 1).keep(batch(1))
    transitions.begin_attempt(database, run.id, {})
    send_left(database, tmp_path, run.id)
    assert recorded(database, run) == []
    assert len(list(tmp_path.iterdir())) == 1, "another run's file is left alone"


# the recorder


class Sometimes:
    """A database that is there, or not."""

    def __init__(self, database: Database) -> None:
        self.there = database
        self.away = False

    def connect(self) -> Any:
        return (NOWHERE if self.away else self.there).connect()

    def close(self) -> None:
        self.there.close()


def test_records_wait_on_disk_and_arrive_once_in_order(database: Database, run: TrainingRun, tmp_path: Path) -> None:
    sometimes = Sometimes(database)
    waiting: list[int] = []
    with recorder_of(sometimes, run, tmp_path, on_spool=waiting.append) as recorder:  # type: ignore[arg-type]
        for number in range(1, 31):
            sometimes.away = 8 <= number < 22
            recorder.add_episodes([episode(number)])
            if number == 21:
                _wait_until(lambda: any(tmp_path.iterdir()))
                assert max(recorded(database, run), default=0) < 21
                _wait_until(lambda: waiting[-1:] == [spool_size(tmp_path)])
            time.sleep(0.1)
    assert recorded(database, run) == list(range(1, 31))
    assert list(tmp_path.iterdir()) == []
    assert waiting[-1] == 0
    assert waiting[:-1] == sorted(waiting[:-1]), "it is told how much waits, as that grows"
    after = training_runs.get(database, run.id)
    assert (after.episodes, after.env_steps, after.mean_reward) == (30, 300, pytest.approx(7.75))


def test_what_cannot_be_sent_at_the_end_is_left_for_the_next(
    database: Database, run: TrainingRun, tmp_path: Path
) -> None:
    impatient = recorder_of(NOWHERE, run, tmp_path, patience_seconds=0.1)
    with pytest.raises(StoreUnavailableError), impatient as recorder:
        recorder.add_episodes([episode(1), episode(2)])
    send_left(database, tmp_path, run.id)
    assert recorded(database, run) == [1, 2]


def test_losing_the_file_stops_the_run(database: Database, run: TrainingRun, tmp_path: Path) -> None:
    sometimes = Sometimes(database)
    sometimes.away = True
    stop = threading.Event()
    recorder = recorder_of(sometimes, run, tmp_path, stop=stop)  # type: ignore[arg-type]
    recorder.__enter__()
    recorder.add_episodes([episode(1)])
    _wait_until(lambda: any(tmp_path.iterdir()))
    next(tmp_path.iterdir()).unlink()
    sometimes.away = False
    assert stop.wait(10)
    with pytest.raises(SpoolLostError):
        recorder.__exit__(None, None, None)


def test_a_new_attempt_shows_the_old_figures_until_it_has_come_as_far(database: Database, run: TrainingRun) -> None:
    def shown() -> tuple[int, int]:
        found = training_runs.get(database, run.id)
        return found.episodes, found.env_steps

    with recorder_of(database, run, Path("/nowhere")) as recorder:
        recorder.add_episodes([episode(number) for number in range(1, 9)])
    again = transitions.begin_attempt(database, run.id, {})
    assert again is not None
    with recorder_of(database, again, Path("/nowhere")) as recorder:
        recorder.begin_at(Counters(episodes=5, updates=0, env_steps=50), [episode(5)], lambda: 50)
        recorder.add_episodes([episode(6)])
        _wait_until(lambda: training_runs.get(database, run.id).heartbeat_at != again.heartbeat_at)
        assert shown() == (8, 80)
        recorder.add_episodes([episode(number) for number in range(7, 11)])
    assert shown() == (10, 100)
    transitions.finish(database, run.id, 2, EndReason.COMPLETED, final=Counters(episodes=10, updates=0, env_steps=100))
    assert recorded(database, run) == list(range(1, 11))


# the embedded server


@pytest.fixture
def embedded_home(home: Path) -> Settings:
    return Settings(home=home, storage=home, database_url=None)


def _answers(database: Database) -> bool:
    try:
        with database.readonly() as connection:
            connection.execute("select 1")
    except StoreUnavailableError:
        return False
    return True


def test_a_killed_embedded_server_comes_back_and_nothing_is_lost(
    embedded_home: Settings, new_run: Callable[..., Any]
) -> None:
    paths = Paths(embedded_home)
    data = paths.embedded_database / "data"
    with open_database(embedded_home) as database:
        run = transitions.begin_attempt(database, transitions.create_single(database, new_run()).id, {})
        assert run is not None
        with recorder_of(database, run, paths.spool) as recorder:
            for number in range(1, 61):
                recorder.add_episodes([episode(number)])
                if number in (10, 35):
                    _wait_until(lambda: _answers(database))
                    pid = postmaster_pid(data)
                    assert pid is not None
                    psutil.Process(pid).send_signal(signal.SIGKILL)
                time.sleep(0.1)
        assert recorded(database, run) == list(range(1, 61))
        assert postmaster_pid(data) not in (None, pid)
        assert not paths.spool.exists() or not list(paths.spool.iterdir())


def test_a_server_that_is_no_longer_used_is_not_brought_back(home: Path) -> None:
    folder = home / "postgres"
    with embedded_server(folder) as database:
        pass
    _wait_until(lambda: not server_processes(folder / "data"))
    with pytest.raises(StoreUnavailableError), database.readonly():
        pass


# silence after an outage


def test_after_an_outage_silence_counts_from_the_servers_return(database: Database, run: TrainingRun) -> None:
    with database.connect() as connection:
        connection.execute("update training_runs set heartbeat_at = clock_timestamp() - interval '1 day'")
    user_s_own = Database(make_conninfo(database.url, options="-c rlsweep.embedded=off"))
    ages = "extract(epoch from now() - pg_postmaster_start_time()) as server, extract(epoch from now() - last_sign(%s))"
    with user_s_own.readonly() as connection:
        row = connection.execute(
            f"select {ages} as silent", [training_runs.get(database, run.id).heartbeat_at]
        ).fetchone()
    assert row is not None
    assert row["silent"] == row["server"]
    patience = float(row["silent"]) + 60
    assert transitions.end_abandoned(user_s_own, run_id=run.id, patience_seconds=patience) == []
    assert [each.id for each in transitions.end_abandoned(database, run_id=run.id, patience_seconds=patience)] == [
        run.id
    ]


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
