import hashlib
import pickle
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sb3_contrib import MaskablePPO
from stable_baselines3 import A2C
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs import make_env
from rlsweep.errors import CheckpointError, DivergedError
from rlsweep.runs import Checkpoint, Counters, RunStatus
from rlsweep.training import checkpoints
from rlsweep.training.checkpoints import read_saved_run
from rlsweep.training.evaluation import Evaluator
from rlsweep.training.session import Result
from rlsweep.training.train import train
from tests.list_recorder import ListRecorder

SCRIPTED = EnvironmentSpec(id="Scripted-v0", kwargs={"length": 8})


def test_stock_load_opens_a_checkpoint_and_plays(make_config, run):
    result, _ = run(make_config(environment="open_spiel/tic_tac_toe", total_timesteps=32))
    model = MaskablePPO.load(result.checkpoint.uri)
    assert model.num_timesteps == 32
    env = make_env(EnvironmentSpec(id="open_spiel/tic_tac_toe"), seed=0)
    observation, _ = env.reset()
    done = False
    while not done:
        masks = env.get_wrapper_attr("action_masks")()
        action, _ = model.predict(observation, action_masks=masks, deterministic=True)
        assert masks[action]
        observation, _, terminated, truncated, _ = env.step(int(action))
        done = terminated or truncated


def test_stock_learning_goes_on_from_a_checkpoint(make_config, run):
    result, _ = run(make_config(algorithm="A2C", total_timesteps=64, agent={"learning_rate": "linear_0.01"}))
    env = DummyVecEnv([lambda: make_env(EnvironmentSpec(id="CartPole-v1"), seed=0)])
    model = A2C.load(result.checkpoint.uri, env=env)
    model.learn(64, reset_num_timesteps=False)
    assert model.num_timesteps == 128


def test_the_record_describes_the_file(make_config, run):
    result, recorder = run(make_config(environment=SCRIPTED, episodes=5))
    content = Path(result.checkpoint.uri).read_bytes()
    assert recorder.checkpoints == [result.checkpoint]
    assert result.checkpoint.bytes == len(content)
    assert result.checkpoint.sha256 == hashlib.sha256(content).hexdigest()
    # four episodes a rollout: nothing was learnt from the fifth
    assert (result.checkpoint.episode, result.checkpoint.env_steps) == (4, 32)


def test_checkpoints_come_at_the_first_rollout_boundary_after_each_interval(make_config, run, tmp_path: Path):
    recorder = KeepsAll()
    config = make_config(
        environment=SCRIPTED,
        episodes=25,
        checkpoint_interval_episodes=6,
        keep_last_n_checkpoints=2,
        evaluation={"every_rollouts": 1, "episodes": 1},
    )
    run(config, recorder=recorder)
    # four episodes a rollout: 4, 8, 12, 16, 20, 24; the end, in midst of a rollout, is no boundary
    assert [checkpoint.episode for checkpoint in recorder.all if not is_best(checkpoint)] == [8, 12, 20, 24]
    left = {path.name for path in (tmp_path / "run" / "checkpoints").iterdir()}
    assert left == {"best.zip", "episode_20_step_160.zip", "episode_24_step_192.zip"}
    assert {Path(checkpoint.uri).name for checkpoint in recorder.checkpoints} == left
    assert len(recorder.checkpoints) == 3, "best.zip, which was written again and again, is on record once"
    for checkpoint in recorder.checkpoints:
        assert hashlib.sha256(Path(checkpoint.uri).read_bytes()).hexdigest() == checkpoint.sha256


def is_best(checkpoint: Checkpoint) -> bool:
    return Path(checkpoint.uri).name == "best.zip"


class KeepsAll(ListRecorder):
    def __init__(self):
        super().__init__()
        self.all = []
        self.dropped = []

    def add_checkpoint(self, checkpoint, *, dropped_uris):
        super().add_checkpoint(checkpoint, dropped_uris=dropped_uris)
        self.all.append(checkpoint)
        self.dropped.append(list(dropped_uris))


def test_nothing_is_saved_twice_in_the_same_place(make_config, run):
    recorder = KeepsAll()
    run(make_config(environment=SCRIPTED, total_timesteps=64, checkpoint_interval_episodes=8), recorder=recorder)
    assert [checkpoint.env_steps for checkpoint in recorder.all] == [64]


def test_training_goes_on_while_a_checkpoint_is_made_durable(make_config, run, monkeypatch):
    next_update, described = threading.Event(), checkpoints.described
    waited = []

    class Told(ListRecorder):
        def add_update(self, update):
            super().add_update(update)
            if update.update == 2:
                next_update.set()

    def slowly(*arguments):
        waited.append(next_update.wait(20.0))
        return described(*arguments)

    monkeypatch.setattr(checkpoints, "described", slowly)
    config = make_config(environment=SCRIPTED, total_timesteps=64, checkpoint_interval_episodes=4)
    result, recorder = run(config, recorder=Told())
    assert waited == [True, True]
    assert recorder.checkpoints[-1] == result.checkpoint, "the end waits for the last one"


def test_a_checkpoint_that_the_disk_refused_ends_the_run(make_config, run, monkeypatch, tmp_path: Path):
    refusals, described = [OSError(28, "No space left on device")], checkpoints.described

    def refused_once(*arguments):
        if refusals:
            raise refusals.pop()
        return described(*arguments)

    monkeypatch.setattr(checkpoints, "described", refused_once)
    config = make_config(environment=SCRIPTED, total_timesteps=96, checkpoint_interval_episodes=4)
    recorder = ListRecorder()
    with pytest.raises(
        CheckpointError, match=r"cannot be written to .*episode_4_step_32\.zip: No space left on device"
    ):
        run(config, recorder=recorder)
    assert recorder.checkpoints == []
    assert list((tmp_path / "run" / "checkpoints").iterdir()) == []


def test_normalization_rides_along(make_config, run, tmp_path: Path):
    result, _ = run(make_config(environment=SCRIPTED, total_timesteps=64, normalize_observations=True))
    with zipfile.ZipFile(result.checkpoint.uri) as archive:
        archive.extract("vecnormalize.pkl", tmp_path)
    env = DummyVecEnv([lambda: make_env(SCRIPTED, seed=0)])
    stock = VecNormalize.load(str(tmp_path / "vecnormalize.pkl"), env)
    # every observation counts: the first, and one a step
    assert stock.obs_rms.count == pytest.approx(65, abs=0.01)
    assert np.abs(stock.obs_rms.mean).max() < 0.3


def test_a_resumed_run_goes_on_counting(make_config, run, tmp_path: Path):
    first, before = run(make_config(environment=SCRIPTED, episodes=10, normalize_observations=True), folder="first")
    whole = make_config(
        environment=SCRIPTED, episodes=30, normalize_observations=True, agent={"learning_rate": "linear_0.01"}
    )
    second, after = run(whole, folder="second", resume_from=Path(first.checkpoint.uri))
    assert second.status is RunStatus.COMPLETED
    # the rollout that the tenth episode ended in is collected again
    assert (first.episodes, first.checkpoint.episode) == (10, 8)
    assert after.began_at == Counters(episodes=8, updates=2, env_steps=64)
    assert after.recent == before.episodes[:8], "running means go on where they were"
    assert [episode.episode for episode in after.episodes] == list(range(9, 31))
    assert [(each.env_steps, each.reward) for each in after.episodes[:2]] == [
        (each.env_steps, each.reward) for each in before.episodes[8:]
    ]
    assert after.episodes[0].seconds > before.episodes[7].seconds
    assert [update.update for update in after.updates] == [first.updates + n + 1 for n in range(len(after.updates))]
    assert after.updates[0].env_steps == 96
    assert after.updates[0].learning_rate == pytest.approx(0.01 * (1 - 12 / 30))
    assert second.env_steps == 30 * 8
    saved = read_saved_run(Path(second.checkpoint.uri)).snapshot
    assert (saved.progress.episodes, saved.progress.env_steps) == (28, 224)
    # every observation counts: the first, and one a step
    assert pickle.loads(saved.statistics).obs_rms.count == pytest.approx(225, abs=0.01)


def test_going_on_from_an_older_checkpoint_gives_up_those_beyond_it(make_config, run, tmp_path: Path):
    def to(episodes: int, resume_from: Path | None = None) -> tuple[Result, KeepsAll]:
        config = make_config(
            environment=SCRIPTED,
            episodes=episodes,
            checkpoint_interval_episodes=4,
            keep_last_n_checkpoints=3,
            evaluation={"enabled": False},
        )
        result, recorder = run(config, recorder=KeepsAll(), resume_from=resume_from)
        return result, recorder

    folder = tmp_path / "run" / "checkpoints"
    to(9)
    best = (folder / "episode_8_step_64.zip").rename(folder / "best.zip")
    to(25)
    given_up = [f"episode_{n}_step_{8 * n}.zip" for n in (16, 20, 24)]
    assert sorted(path.name for path in folder.iterdir()) == ["best.zip", *given_up]

    result, recorder = to(18, resume_from=best)
    # the first one goes in place of those given up, and the same name may come again
    assert [checkpoint.episode for checkpoint in recorder.all] == [12, 16]
    assert [[Path(uri).name for uri in dropped] for dropped in recorder.dropped] == [given_up, []]
    assert {path.name for path in folder.iterdir()} == {"best.zip", *(Path(c.uri).name for c in recorder.all)}
    assert Path(result.checkpoint.uri).exists()


def test_what_is_given_up_stays_until_there_is_something_newer(make_config, run, monkeypatch: pytest.MonkeyPatch):
    first, _ = run(make_config(environment=SCRIPTED, total_timesteps=32))
    config = make_config(environment=SCRIPTED, total_timesteps=64)
    last, _ = run(config, resume_from=Path(first.checkpoint.uri))
    with monkeypatch.context() as poisoned:
        poisoned.setattr(Evaluator, "evaluate", _diverge)
        poisoned.setattr(Evaluator, "is_due", lambda *_: True)
        with pytest.raises(DivergedError):
            run(config, resume_from=Path(first.checkpoint.uri))
    assert Path(last.checkpoint.uri).exists()

    recorder = KeepsAll()
    again, _ = run(config, resume_from=Path(first.checkpoint.uri), recorder=recorder)
    assert again.checkpoint.uri == last.checkpoint.uri
    assert recorder.dropped == [[]], "the file just written is none of those given up"
    assert Path(again.checkpoint.uri).exists()


def _diverge(*_: object, **__: object) -> None:
    raise DivergedError("a mistake")


def test_a_step_budget_counts_from_the_first_start(make_config, run):
    first, _ = run(make_config(total_timesteps=64), folder="first")
    second, recorder = run(make_config(total_timesteps=160), folder="second", resume_from=Path(first.checkpoint.uri))
    assert second.env_steps == 160
    assert [update.update for update in recorder.updates] == [3, 4, 5]


def test_a_run_resumed_with_its_budget_spent_does_nothing_more(make_config, run):
    config = make_config(environment=SCRIPTED, total_timesteps=64)
    first, _ = run(config, folder="first")
    second, recorder = run(config, folder="second", resume_from=Path(first.checkpoint.uri))
    assert (second.status, second.episodes, second.env_steps) == (RunStatus.COMPLETED, 8, 64)
    assert not recorder.episodes
    states = [read_saved_run(Path(each.checkpoint.uri)).snapshot.state for each in (first, second)]
    assert None not in states, "a larger budget goes on from either, in midst of an episode"


def test_a_resumed_run_starts_from_the_saved_weights(make_config, run):
    first, _ = run(make_config(total_timesteps=320, agent={"learning_rate": 0.01}), folder="first")
    resumed = make_config(total_timesteps=352, agent={"learning_rate": 1e-12}, evaluation={"enabled": False})
    second, _ = run(resumed, folder="second", resume_from=Path(first.checkpoint.uri))
    one, other = (
        MaskablePPO.load(result.checkpoint.uri, device="cpu").policy.state_dict() for result in (first, second)
    )
    assert all(np.allclose(one[name], other[name], atol=1e-8) for name in one)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"agent": {"network": {"net_arch": [9]}}}, "does not fit this config's network"),
        ({"algorithm": "PPO"}, "was trained by MaskablePPO; PPO cannot resume"),
        ({"normalize_observations": True}, "trained with normalize_observations: false"),
    ],
)
def test_a_checkpoint_of_another_kind_of_run_is_refused(make_config, run, changes, message):
    first, _ = run(make_config(total_timesteps=32), folder="first")
    with pytest.raises(CheckpointError, match=message):
        run(make_config(total_timesteps=64, **changes), folder="second", resume_from=Path(first.checkpoint.uri))


def test_files_that_are_no_checkpoints_are_refused(make_config, run, tmp_path: Path):
    config = make_config(total_timesteps=32)
    with pytest.raises(CheckpointError, match="Checkpoint not found:"):
        run(config, resume_from=tmp_path / "absent.zip")
    torn = tmp_path / "torn.zip"
    torn.write_bytes(b"PK not really")
    with pytest.raises(CheckpointError, match=r"torn\.zip cannot be read"):
        run(config, resume_from=torn)
    foreign = tmp_path / "foreign.zip"
    env = DummyVecEnv([lambda: make_env(EnvironmentSpec(id="CartPole-v1"), seed=0)])
    MaskablePPO("MlpPolicy", env, n_steps=8, batch_size=8).save(foreign)
    with pytest.raises(CheckpointError, match="was not written by rlsweep"):
        run(config, resume_from=foreign)


def test_a_folder_that_cannot_be_written_is_named(make_config, run, tmp_path: Path):
    (tmp_path / "run").write_text("in the way")
    from rlsweep.training.train import train

    with pytest.raises(CheckpointError, match="RLSWEEP_STORAGE"):
        train(
            make_config(total_timesteps=32),
            ListRecorder(),
            checkpoint_folder=tmp_path / "run" / "checkpoints",
            tensorboard_folder=None,
        )


def test_what_a_dead_attempt_left_half_written_is_removed(make_config, run, tmp_path: Path):
    folder = tmp_path / "run" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "episode_1_step_9.zip.part").write_bytes(b"half")
    run(make_config(total_timesteps=32))
    assert [path.suffix for path in folder.iterdir()] == [".zip"]


@pytest.mark.parametrize("keep", [1, 2])
def test_the_newest_on_record_stays_while_newer_ones_are_not(make_config, run, tmp_path: Path, keep):
    class Away(ListRecorder):
        """Has acknowledged the first checkpoint, and then no more."""

        def is_recorded(self, uri: str) -> bool:
            return uri.endswith("episode_4_step_32.zip")

    config = make_config(
        environment=SCRIPTED,
        episodes=16,
        checkpoint_interval_episodes=4,
        keep_last_n_checkpoints=keep,
        evaluation={"enabled": False},
    )
    run(config, recorder=Away())
    kept = {path.name for path in (tmp_path / "run" / "checkpoints").iterdir()}
    newest = [f"episode_{n}_step_{8 * n}.zip" for n in (12, 8)][:keep]
    assert kept == {"episode_4_step_32.zip", *newest}


def test_the_newest_attempt_counts_as_newest_and_held_checkpoints_stay(make_config, run, tmp_path: Path):
    first, _ = run(make_config(environment=SCRIPTED, total_timesteps=32))
    folder = tmp_path / "run" / "checkpoints"
    content = Path(first.checkpoint.uri).read_bytes()
    names = ["episode_1_step_8.zip", "episode_4_step_32_attempt_9.zip", "episode_4_step_32_attempt_10.zip"]
    for name in names:
        (folder / name).write_bytes(content)
    config = make_config(environment=SCRIPTED, total_timesteps=96, keep_last_n_checkpoints=2)
    train(
        config,
        ListRecorder(),
        checkpoint_folder=folder,
        tensorboard_folder=None,
        resume_from=Path(first.checkpoint.uri),
        attempt=11,
        held=[str(folder / names[0])],
    )
    assert {path.name for path in folder.iterdir()} == {
        names[0], names[2], "episode_12_step_96_attempt_11.zip",
    }  # fmt: skip
