"""Env steps are shown while a rollout or an episode goes on, and the end records what was recorded."""

import threading
import time
from pathlib import Path

from rlsweep.attempts.recorder import StoreRecorder
from rlsweep.attempts.spool import Spool
from rlsweep.runs import Counters
from rlsweep.store.database import Database
from tests.helpers.runs import run


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
