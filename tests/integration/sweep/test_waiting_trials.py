"""What a driver tells of trials whose environment does not answer."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from rlsweep.driver import waiting
from rlsweep.driver.waiting import WaitingTrials
from rlsweep.store import recording, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.training.recorder import WAITED_FOR

pytestmark = pytest.mark.integration


def test_a_trial_that_waits_is_told_once_for_each_time(
    database: Database,
    new_sweep: Callable[..., Any],
    new_run: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 0.0)
    sweep = sweeps.create(database, new_sweep(), [new_run(), new_run()])
    run, other = training_runs.of_sweep(database, sweep.id)
    for each in (run, other):
        transitions.begin_attempt(database, each.id, {})
    trials = WaitingTrials(database, sweep.id)
    with caplog.at_level(logging.WARNING):
        trials.tell()
        for seconds in (10, 60):
            facts = {WAITED_FOR: f"a step of x, for {seconds} s"}
            progress = recording.Progress(episodes=0, updates=0, env_steps=0)
            recording.flush(
                database, run.id, 1, recording.Batch(progress=progress, episodes=[], updates=[], facts=facts)
            )
            for _ in range(2):
                trials.tell()
    assert caplog.messages == [f"{run.label} waits for a step of x, for {seconds} s." for seconds in (10, 60)]
