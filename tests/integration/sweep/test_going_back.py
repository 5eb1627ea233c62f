"""Which checkpoint a run goes on from, and what becomes of it where the disk fails it."""

import dataclasses
import os
import pickle
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rlsweep.attempts.execution import WorkerContext, execute_run
from rlsweep.config.agent import AgentConfig, NetworkConfig
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import EvaluationConfig, TrainingConfig
from rlsweep.paths import Paths
from rlsweep.runs import Checkpoint, NewRun, RunStatus, TrainingRun, Update
from rlsweep.settings import Settings
from rlsweep.store import curves, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.training.train import train
from tests.list_recorder import ListRecorder

pytestmark = pytest.mark.integration

STEPS = 1024

Rows = list[tuple[int, int, float]]


class StopAfter(threading.Event):
    """Set once it was looked at so often: a run looks at every env step and every optimizer step."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._left = looks

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0 or super().is_set()


@pytest.fixture
def planned(database: Database, new_run: Callable[..., NewRun]) -> Callable[..., TrainingRun]:
    """Puts a run of 16 rollouts on record, pending; it saves a checkpoint at the end of almost every one."""

    def make(net_arch: tuple[int, ...] = (8,)) -> TrainingRun:
        config = RunConfig(
            agent=AgentConfig(
                agent_id="test_agent",
                name="Test",
                algorithm="MaskablePPO",
                version=1,
                n_steps=64,
                n_epochs=1,
                network=NetworkConfig(net_arch=net_arch),
            ),
            training=TrainingConfig(checkpoint_interval_episodes=5, evaluation=EvaluationConfig(enabled=False)),
            mode=Mode.FULL,
            budget=Budget(total_timesteps=STEPS),
            seed=3,
        )
        return transitions.create_single(database, new_run(config=config.to_record(), trial_key=None))

    return make


@pytest.fixture
def work(database: Database, settings: Settings) -> Callable[..., RunStatus]:
    """Takes a run up, in this process, until it is done or was looked at so often."""
    context = WorkerContext(database_url=database.url, settings=settings, threads=1)

    def work(run: TrainingRun, looks: int = 10**9) -> RunStatus:
        found = training_runs.get(database, run.id)
        if found.status.is_finished:
            transitions.reopen(database, run.id)
        return execute_run(run.id, context, stop=StopAfter(looks))

    return work


def rows_of(database: Database, run: TrainingRun) -> Rows:
    columns = curves.episodes_of(database, [run.id])[run.id]
    return list(zip(columns.episode.tolist(), columns.env_steps.tolist(), columns.reward.tolist(), strict=True))


def files_of(database: Database, run: TrainingRun) -> list[Path]:
    """The files on record, the one to go on from first."""
    return [Path(each.uri) for each in training_runs.checkpoints_to_go_on_from(database, run.id)]


def damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_damaged_checkpoint_gives_way_to_the_one_before(database: Database, planned: Any, work: Any) -> None:
    whole, run = planned(), planned()
    work(whole)
    assert work(run, looks=600) is RunStatus.STOPPED
    newest, before, *_ = files_of(database, run)
    damaged(newest)
    assert work(run) is RunStatus.COMPLETED
    after = training_runs.get(database, run.id)
    warning = f"Damaged checkpoints: {newest}. The run continued from {before}."
    assert after.metadata["warning"] == warning
    assert rows_of(database, run) == rows_of(database, whole)


def test_where_none_is_sound_a_run_begins_again(database: Database, planned: Any, work: Any) -> None:
    whole, run = planned(), planned()
    work(whole)
    work(run, looks=600)
    for path in files_of(database, run):
        damaged(path)
    assert work(run) is RunStatus.COMPLETED
    assert training_runs.get(database, run.id).metadata["warning"].endswith("The run continued from the beginning.")
    assert rows_of(database, run) == rows_of(database, whole)


def test_files_that_are_gone_go_from_the_record(database: Database, planned: Any, work: Any) -> None:
    run = planned()
    work(run, looks=600)
    newest, *_, oldest = files_of(database, run)
    for path in (newest, oldest):
        path.unlink()
    assert work(run) is RunStatus.COMPLETED
    assert "warning" not in training_runs.get(database, run.id).metadata
    on_record = files_of(database, run)
    assert set(on_record) == set(on_record[0].parent.iterdir())


def test_a_folder_out_of_reach_is_no_reason_to_begin_again(
    database: Database, planned: Any, work: Any, settings: Settings
) -> None:
    whole, run = planned(), planned()
    work(whole)
    work(run, looks=600)
    on_record = files_of(database, run)
    unmounted = settings.storage.rename(settings.storage.with_name("unmounted"))
    assert work(run) is RunStatus.FAILED
    assert "cannot be read: No such file" in str(training_runs.get(database, run.id).error)
    assert files_of(database, run) == on_record
    shutil.rmtree(settings.storage, ignore_errors=True)
    unmounted.rename(settings.storage)
    assert work(run) is RunStatus.COMPLETED
    assert rows_of(database, run) == rows_of(database, whole)


class OvertakenAt(ListRecorder):
    """Another attempt comes and goes while this one has saved so many checkpoints, and goes on."""

    def __init__(self, checkpoints: int, overtake: Callable[[], None]) -> None:
        super().__init__()
        self._left, self._overtake = checkpoints, overtake

    def add_checkpoint(self, checkpoint: Checkpoint, *, dropped_uris: Sequence[str]) -> None:
        super().add_checkpoint(checkpoint, dropped_uris=dropped_uris)
        self._left -= 1

    def add_update(self, update: Update) -> None:
        super().add_update(update)
        if self._left <= 0:  # not where it is told of them, which is in a thread
            self._left = 1000
            self._overtake()


def test_a_process_that_was_thought_dead_does_no_harm(
    database: Database, planned: Any, work: Any, settings: Settings
) -> None:
    """It writes and removes checkpoints to its end, which comes long after another attempt has gone further."""
    run = planned()
    transitions.begin_attempt(database, run.id, {})
    of_the_other: dict[Path, bytes] = {}

    def overtake() -> None:
        assert work(run, looks=800) is RunStatus.STOPPED
        of_the_other.update({path: path.read_bytes() for path in files_of(database, run)})

    folder = Paths(settings).run_checkpoints(run.id)
    recorder = OvertakenAt(3, overtake)
    train(RunConfig.from_record(run.config), recorder, checkpoint_folder=folder, tensorboard_folder=None)
    assert len(of_the_other) in (3, 4), "the last three, and the newest that was on record when they were written"
    assert {path: path.read_bytes() for path in files_of(database, run)} == of_the_other
    assert work(run) is RunStatus.COMPLETED
    assert set(folder.iterdir()) == set(files_of(database, run))


def test_a_checkpoint_of_eight_gpus_is_gone_on_with_where_there_is_none(
    database: Database, planned: Any, work: Any, tmp_path: Path
) -> None:
    run = planned()
    work(run, looks=600)
    elsewhere = tmp_path / "elsewhere.zip"
    with zipfile.ZipFile(files_of(database, run)[0]) as ours, zipfile.ZipFile(elsewhere, "w") as theirs:
        for name in ours.namelist():
            content = ours.read(name)
            if name == "boundary.pkl":
                generators = (np.zeros(16, np.uint8),) * 8
                content = pickle.dumps(dataclasses.replace(pickle.loads(content), cuda=generators))
            theirs.writestr(name, content)
    recorder = ListRecorder()
    result = train(
        RunConfig.from_record(run.config),
        recorder,
        checkpoint_folder=tmp_path / "new",
        tensorboard_folder=None,
        resume_from=elsewhere,
    )
    assert result.env_steps == STEPS
    assert "went_on" not in recorder.facts, "in midst of its episode"


class HeardOf(ListRecorder):
    """The database has on record what it is told of, and of this attempt's checkpoints the first so many."""

    def __init__(self, on_record: Sequence[Path], heard: int) -> None:
        super().__init__()
        self._on_record, self._heard = {str(path) for path in on_record}, heard
        self.saved_at: list[int] = []

    def is_recorded(self, uri: str) -> bool:
        return uri in self._on_record

    def add_checkpoint(self, checkpoint: Checkpoint, *, dropped_uris: Sequence[str]) -> None:
        super().add_checkpoint(checkpoint, dropped_uris=dropped_uris)
        assert any(Path(uri).exists() for uri in self._on_record), "where another attempt would go on"
        if len(self.saved_at) < self._heard:
            self._on_record = (self._on_record - set(dropped_uris)) | {checkpoint.uri}
        self.saved_at.append(checkpoint.env_steps)


@pytest.mark.parametrize("heard", [0, 2])
def test_who_goes_back_leaves_a_checkpoint_on_record_at_any_time(
    database: Database, planned: Any, work: Any, settings: Settings, tmp_path: Path, heard: int
) -> None:
    run = planned()
    work(run, looks=600)
    *beyond, oldest = files_of(database, run)
    begins_at = min(each.env_steps for each in training_runs.checkpoints_to_go_on_from(database, run.id))
    elsewhere = shutil.move(oldest, tmp_path / "elsewhere.zip")
    recorder, folder = HeardOf(beyond, heard), Paths(settings).run_checkpoints(run.id)
    config = RunConfig.from_record(run.config)
    train(config, recorder, checkpoint_folder=folder, tensorboard_folder=None, resume_from=Path(elsewhere), attempt=2)
    assert recorder.saved_at[0] == begins_at, "and one of its own fits what it records from here on"
    assert [path.exists() for path in beyond] == [heard == 0, *[False] * (len(beyond) - 1)]


def test_what_an_older_library_pickled_is_no_reason_to_fail(
    database: Database, planned: Any, work: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = planned()
    work(run, looks=600)
    with monkeypatch.context() as changed:
        changed.setattr("rlsweep.training.snapshot._State.__setstate__", _raise, raising=False)
        assert work(run) is RunStatus.COMPLETED
    after = training_runs.get(database, run.id)
    assert after.metadata["went_on"].startswith("at an episode's start: its environments cannot be unp")
    numbers = [row[0] for row in rows_of(database, run)]
    assert numbers == list(range(1, len(numbers) + 1))


def _raise(*_: Any) -> None:
    raise AttributeError("no such field any more")


@pytest.fixture
def small_disk(settings: Settings) -> Iterator[Callable[[str], None]]:
    """A storage folder of its own size; call it to give it another one."""
    settings.storage.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", settings.storage], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")

    def resize(size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", settings.storage], check=True)

    yield resize
    subprocess.run(["umount", settings.storage], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is mounted, which is root's to do")
def test_a_full_disk_fails_the_run_which_goes_on_when_there_is_room(
    database: Database, planned: Any, work: Any, small_disk: Callable[[str], None]
) -> None:
    run = planned(net_arch=(64, 64))
    assert work(run) is RunStatus.FAILED
    failed = training_runs.get(database, run.id)
    assert failed.error is not None
    assert "No space left on device. Free some space there, or point RLSWEEP_STORAGE elsewhere." in failed.error
    assert failed.episodes == len(rows_of(database, run)) > 0
    small_disk("20m")
    assert work(run) is RunStatus.COMPLETED
    numbers = [row[0] for row in rows_of(database, run)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert training_runs.get(database, run.id).env_steps == STEPS
