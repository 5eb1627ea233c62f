"""A run whose storage is a URI: fsspec's own store in this process's memory serves for what any of them does."""

from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rlsweep.config.run import Mode
from rlsweep.config.training import EnvironmentSpec
from rlsweep.errors import CheckpointError
from rlsweep.runs import Checkpoint
from rlsweep.storage import RemotePath, locate
from rlsweep.training import train as training
from tests.list_recorder import ListRecorder

SCRIPTED = EnvironmentSpec(id="Scripted-v0", kwargs={"length": 8})


@pytest.fixture
def place(tmp_path: Path) -> RemotePath:
    return RemotePath(f"memory://{tmp_path.name}")


def steps(logs: RemotePath, copied: Path) -> list[int]:
    """Where the episodes ended that all event files below a URI tell of."""
    copied.mkdir()
    for file in logs.iterdir():
        (copied / file.name).write_bytes(file.read_bytes())
    read = EventAccumulator(str(copied), size_guidance={"scalars": 0})
    read.Reload()
    return [point.step for point in read.Scalars("episode/reward")]


def train(config: Any, place: RemotePath, recorder: ListRecorder | None = None, **given: Any) -> ListRecorder:
    recorder = recorder or ListRecorder()
    training.train(
        config, recorder, checkpoint_folder=place / "checkpoints", tensorboard_folder=place / "logs", **given
    )
    return recorder


class Looks(ListRecorder):
    """Looks at the storage whenever it is told of a checkpoint."""

    def __init__(self, place: RemotePath, tmp_path: Path) -> None:
        super().__init__()
        self._place, self._tmp_path = place, tmp_path
        self.seen: list[tuple[int, int]] = []

    def add_checkpoint(self, checkpoint: Checkpoint, *, dropped_uris: Any) -> None:
        super().add_checkpoint(checkpoint, dropped_uris=dropped_uris)
        assert len(locate(checkpoint.uri).read_bytes()) == checkpoint.bytes
        copied = self._tmp_path / str(len(self.seen))
        self.seen.append((checkpoint.env_steps, max(steps(self._place / "logs", copied))))


def test_a_checkpoint_is_told_of_once_it_and_the_logs_up_to_it_are_there(make_config, place, tmp_path: Path):
    config = make_config(
        environment=SCRIPTED, episodes=24, checkpoint_interval_episodes=4, evaluation={"enabled": False}
    )
    recorder = train(config, place, Looks(place, tmp_path))
    assert len(recorder.seen) > 3
    assert all(logged >= reached for reached, logged in recorder.seen)
    assert [locate(each.uri) for each in recorder.checkpoints] == sorted(
        (place / "checkpoints").iterdir(), key=lambda each: int(each.name.split("_")[1])
    )


def test_logs_are_cut_into_files_which_are_sent_once(make_config, place, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(training, "FILE_BYTES", 1)
    config = make_config(
        environment=SCRIPTED, episodes=24, checkpoint_interval_episodes=4, evaluation={"enabled": False}
    )
    recorder = train(config, place)
    assert len(list((place / "logs").iterdir())) > 3
    assert steps(place / "logs", tmp_path / "copied") == [episode.env_steps for episode in recorder.episodes]


def test_a_run_goes_on_from_a_uri_and_adds_to_its_logs(make_config, place, tmp_path: Path):
    first = train(make_config(environment=SCRIPTED, total_timesteps=64, mode=Mode.SMOKE), place)
    written = (place / "logs" / training.LOG_FILE).read_bytes()
    assert b"policy_gradient_loss" in written
    whole = make_config(environment=SCRIPTED, total_timesteps=128, mode=Mode.SMOKE)
    second = train(whole, place, resume_from=locate(first.checkpoints[-1].uri), attempt=2)
    assert [episode.episode for episode in second.episodes] == list(range(9, 17))
    log = (place / "logs" / training.LOG_FILE).read_bytes()
    assert log.startswith(written)
    assert len(log) > len(written)
    (place / "logs" / training.LOG_FILE).unlink()
    assert steps(place / "logs", tmp_path / "copied") == [8 * n for n in range(1, 17)]


def test_a_run_that_fails_leaves_its_logs(make_config, place, tmp_path: Path, monkeypatch):
    def fail(*_: object) -> None:
        raise CheckpointError("a mistake")

    monkeypatch.setattr("rlsweep.training.session.TrainingSession._save", fail)
    with pytest.raises(CheckpointError, match="a mistake"):
        train(make_config(environment=SCRIPTED, episodes=8), place)
    assert steps(place / "logs", tmp_path / "copied") == [8 * n for n in range(1, 9)]
