"""Env steps are shown while a rollout or an episode goes on, and the end records what was recorded."""

import threading
import time
from pathlib import Path

from rlsweep.attempts.recorder import StoreRecorder
from rlsweep.attempts.spool import Spool
from rlsweep.runs import Counters, Episode, Update
from rlsweep.store.database import Database
from tests.helpers.runs import run


def test_progress_is_that_of_the_last_episode_or_of_the_update_after_it(tmp_path: Path) -> None:
    recorder = StoreRecorder(
        Database("postgresql://nobody@127.0.0.1:9/none"),
        run(of_episodes=5),
        on_record=[],
        spool=Spool(tmp_path, run().id, 1),
        stop=threading.Event(),
        stop_elsewhere=lambda: False,
    )
    recorder.begin_at(Counters(episodes=0, updates=0, env_steps=0), [], lambda: 0)
    for number in (1, 2):
        ended = Episode(episode=number, env_steps=40 * number, reward=1.0, length=40, outcome=None, seconds=1.0)
        recorder.add_episodes([ended])
    figures = dict.fromkeys(("policy_loss", "value_loss", "entropy", "learning_rate", "steps_per_second"), 1.0)
    unknown = dict.fromkeys(("approx_kl", "clip_fraction", "explained_variance", "gradient_steps"))
    recorder.add_update(Update(update=1, env_steps=100, **figures, **unknown))
    progress = recorder._take_pending().progress
    assert (progress.episodes, progress.env_steps, progress.updates, progress.mean_length) == (2, 100, 1, 40.0)
    recorder.add_episodes([Episode(episode=3, env_steps=120, reward=1.0, length=40, outcome=None, seconds=2.0)])
    recorder.overtake()
    assert recorder._progress.env_steps == 120


def test_env_steps_and_their_speed_are_known_before_the_first_record(tmp_path: Path) -> None:
    recorder = StoreRecorder(
        Database("postgresql://nobody@127.0.0.1:9/none"),
        run(of_episodes=5, episodes=1, updates=2, env_steps=100),
        on_record=[],
        spool=Spool(tmp_path, run().id, 1),
        stop=threading.Event(),
        stop_elsewhere=lambda: False,
    )
    steps = 100
    recorder.begin_at(Counters(episodes=1, updates=2, env_steps=100), [], lambda: steps)
    assert recorder._take_pending().progress.steps_per_second is None
    steps = 140
    time.sleep(0.02)
    progress = recorder._take_pending().progress
    assert (progress.env_steps, progress.episodes, progress.updates) == (140, 1, 2)
    assert progress.steps_per_second is not None
    assert 0 < progress.steps_per_second <= 40 / 0.02
    recorder._closing.set()
    assert recorder._take_pending().progress.env_steps == 100, "nothing of an unfinished rollout is kept"
