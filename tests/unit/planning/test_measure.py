"""What the measuring process says, and what is made of it."""

import logging
import subprocess
import sys
import time
from typing import Any

import gymnasium as gym
import pytest

from rlsweep.config.agent import AgentConfig
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import EnvironmentSpec, TrainingConfig
from rlsweep.planning.measure import _converse, _said_after
from rlsweep.planning.probe import answer
from rlsweep.training import waiting


class SlowlyRefused(gym.Env[Any, Any]):
    """Takes a moment before it fails."""

    def __init__(self) -> None:
        time.sleep(0.5)
        raise ValueError("no licence")


def test_the_process_says_what_it_waits_for_and_then_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "FIRST_SECONDS", 0.1)
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 0.02)
    config = RunConfig(
        agent=AgentConfig(agent_id="a", name="A", algorithm="PPO", version=1),
        training=TrainingConfig(environment=EnvironmentSpec(id=f"{__name__}:SlowlyRefused")),
        mode=Mode.SMOKE,
        budget=Budget(episodes=5),
        seed=0,
    )
    said: list[dict[str, Any]] = []
    answer([config], said.append)
    assert [each["waiting"].partition(", for ")[0] for each in said[:-1]] == [
        f"environment '{__name__}:SlowlyRefused' to be made"
    ]
    assert (said[-1]["kind"], "ValueError: no licence" in said[-1]["error"]) == ("EnvironmentSpecError", True)


def test_a_long_measurement_is_mentioned_even_if_its_process_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        with _said_after(60.0):
            pass
        assert caplog.messages == []
        with _said_after(0.05):
            time.sleep(0.3)
    assert caplog.messages == ["Measuring the environment has taken 0 s so far."]


def test_what_the_process_waits_for_is_told_at_once(caplog: pytest.LogCaptureFixture) -> None:
    lines = """print('{"waiting": "the reset of x, for 10 s"}'); print('{"measurements": []}'); input()"""
    with (
        subprocess.Popen(
            [sys.executable, "-c", lines], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child,
        caplog.at_level(logging.WARNING),
    ):
        found = _converse(child, "[]")
    assert found == ({"measurements": []}, "the reset of x, for 10 s")
    assert caplog.messages == ["Waiting for the reset of x, for 10 s."]
