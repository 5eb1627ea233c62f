"""What is on record of a run whose environment calls `os._exit`."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rlsweep.attempts.execution import WorkerContext, _record_exit
from rlsweep.attempts.process_exits import DEATH
from rlsweep.attempts.recorder import StoreRecorder
from rlsweep.attempts.spool import Spool
from rlsweep.runs import Actor, EndReason, Episode, RunStatus
from rlsweep.settings import Settings
from rlsweep.store import training_runs, transitions
from rlsweep.store.database import Database

pytestmark = pytest.mark.integration

CAUSE = "exit code 3, by os._exit in game.py, line 7"
ACTOR = Actor(cluster="c", id="a", node="n", pid=1)


@pytest.mark.parametrize("actor", [None, ACTOR])
def test_the_exit_code_and_the_last_episodes_are_on_record(
    database: Database, settings: Settings, new_run: Callable[..., Any], tmp_path: Path, actor: Actor | None
) -> None:
    run = transitions.begin_attempt(database, transitions.create_single(database, new_run()).id, {}, actor=actor)
    assert run is not None
    context = WorkerContext(database_url=database.url, settings=settings, threads=1, actor=actor)
    recorder = StoreRecorder(
        database,
        run,
        on_record=(),
        spool=Spool(tmp_path, run.id, run.attempt),
        stop=threading.Event(),
        stop_elsewhere=lambda: False,
    )
    with recorder:
        recorder.add_episodes([Episode(episode=1, env_steps=8, reward=1.0, length=8, outcome=None, seconds=1.0)])
        _record_exit(run, recorder, context, CAUSE)  # the process would end here
        ended = training_runs.get(database, run.id)
    assert (ended.episodes, ended.metadata[DEATH]) == (1, CAUSE)
    if actor is None:
        assert (ended.status, ended.end_reason) == (RunStatus.FAILED, EndReason.FAILED)
        assert ended.error == f"The process that trained ended with {CAUSE}."
    else:
        assert ended.status is RunStatus.RUNNING, "its driver starts it again"
