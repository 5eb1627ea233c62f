"""A run that begins with a copy of another one's policy, and the checkpoints that are kept for such copies."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3.common.save_util import load_from_zip_file

from rlsweep.config.training import EnvironmentSpec
from rlsweep.errors import CheckpointError
from rlsweep.runs import Counters
from rlsweep.training.checkpoint_copy import copy_checkpoint
from rlsweep.training.checkpoints import is_damaged, read_saved_run
from rlsweep.training.progress import Progress

SCRIPTED = EnvironmentSpec(id="Scripted-v0", kwargs={"length": 8})
SAME = ("policy.pth", "policy.optimizer.pth", "vecnormalize.pkl")


@pytest.fixture
def population(make_config, run):
    """Two runs of 64 env steps whose episodes have 12: the third of each is in progress."""
    environment = SCRIPTED.model_copy(update={"kwargs": {"length": 12}})

    def config(seed: int, total_timesteps: int = 64, **agent: Any):
        return make_config(
            environment=environment, total_timesteps=total_timesteps, seed=seed, agent=agent,
            normalize_observations=True, normalize_rewards=True,
        )  # fmt: skip

    results = [run(config(seed), folder=str(seed))[0] for seed in (1, 2)]
    return config, results


def members_of(path: str | Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_copy_has_the_source_bit_for_bit_and_the_counters_of_its_own(population, run, tmp_path: Path) -> None:
    config, (own, source) = population
    changed = config(1, total_timesteps=128, learning_rate=1e-3)
    to = tmp_path / "1" / "checkpoints" / "episode_5_step_64_attempt_2.zip"
    progress = Progress(episodes=5, env_steps=64, updates=2, earlier_seconds=7.0, best_mean_reward=3.0)
    copied = copy_checkpoint(Path(source.checkpoint.uri), to, progress=progress, config=changed)
    assert (copied.episode, copied.env_steps, copied.uri) == (5, 64, str(to))
    assert not is_damaged(copied)
    before, after = members_of(source.checkpoint.uri), members_of(to)
    assert {name: after[name] for name in SAME} == {name: before[name] for name in SAME}
    assert after["policy.pth"] != members_of(own.checkpoint.uri)["policy.pth"]
    assert "boundary.pkl" in before
    assert "boundary.pkl" not in after, "no episode of the source goes on"
    saved = read_saved_run(to)
    assert saved.config == changed
    assert (saved.snapshot.progress.episodes, saved.snapshot.progress.best_mean_reward) == (5, 3.0)

    result, recorder = run(changed, folder="1", resume_from=to)
    assert recorder.began_at == Counters(episodes=5, updates=2, env_steps=64)
    lengths = [(episode.episode, episode.length, episode.env_steps) for episode in recorder.episodes]
    assert lengths[:2] == [(6, 12, 76), (7, 12, 88)], "the episode in progress is not recorded as an ended one"
    assert (result.env_steps, result.updates) == (128, 4)
    assert [update.update for update in recorder.updates] == [3, 4]


def test_training_goes_on_from_exactly_what_was_copied(population, run, tmp_path: Path) -> None:
    config, (_, source) = population
    to = tmp_path / "1" / "checkpoints" / "episode_5_step_64_attempt_2.zip"
    copy_checkpoint(Path(source.checkpoint.uri), to, progress=Progress(env_steps=64), config=config(1))
    # the budget is spent: the last checkpoint has what the run began with
    result, _ = run(config(1), folder="1", resume_from=to)
    _, before, _ = load_from_zip_file(source.checkpoint.uri)
    _, after, _ = load_from_zip_file(result.checkpoint.uri)
    for name, tensor in before["policy"].items():
        assert torch.equal(after["policy"][name], tensor)
    for key, state in before["policy.optimizer"]["state"].items():
        for name, tensor in state.items():
            assert torch.equal(after["policy.optimizer"]["state"][key][name], tensor)
    one, other = (read_saved_run(Path(each.checkpoint.uri)).snapshot.statistics for each in (source, result))
    assert one is not None
    assert other is not None
    for name in ("obs_rms", "ret_rms"):
        ours, theirs = (vars(getattr(pickle.loads(each), name)) for each in (one, other))
        assert {key: np.asarray(value).tolist() for key, value in ours.items()} == {
            key: np.asarray(value).tolist() for key, value in theirs.items()
        }


def test_a_source_that_is_gone_is_told(tmp_path: Path, make_config) -> None:
    with pytest.raises(CheckpointError, match=r"gone\.zip cannot be copied"):
        copy_checkpoint(tmp_path / "gone.zip", tmp_path / "to.zip", progress=Progress(), config=make_config(episodes=1))
    assert list(tmp_path.iterdir()) == []
