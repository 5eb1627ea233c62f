"""What the measuring process says, and what is made of it."""

import logging
import subprocess
import sys
import time
from typing import Any

import gymnasium as gym
import pytest
from unmeasured import measuring_by

from rlsweep.api.plan import PlanOptions, make_plan
from rlsweep.cli.planning import forecast_as_json
from rlsweep.config.agent import AgentConfig
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import EnvironmentSpec, TrainingConfig
from rlsweep.planning.forecast import forecast
from rlsweep.planning.measure import Heard, _listen, _said_after, _too_long
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
    lines = """print('{"waiting": "the reset of x, for 10 s"}'); print('{"env_steps": 3, "seconds": 6.0}')
print('{"measurements": []}')"""
    with (
        subprocess.Popen([sys.executable, "-c", lines], stdout=subprocess.PIPE, text=True) as child,
        caplog.at_level(logging.WARNING),
    ):
        told: list[str] = []
        heard = _listen(child, told.append)
    assert heard == Heard({"measurements": []}, "the reset of x, for 10 s", 3, 6.0)
    assert caplog.messages == ["Waiting for the reset of x, for 10 s."]
    assert told == ["3 env steps, 0.50 steps/s"]
    error = _too_long(120.0, heard)
    assert str(error) == (
        "Measuring the environment took longer than 120 s and was stopped, after 3 env steps: 0.50 a second."
    )
    heard.env_steps = 0
    assert "It waited for the reset of x, for 10 s." in str(_too_long(120.0, heard))


def test_a_plan_tells_what_is_known_of_an_environment_that_is_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(*_: Any, **__: Any) -> None:
        raise _too_long(120.0, Heard(env_steps=60, seconds=120.0))

    monkeypatch.setattr("rlsweep.planning.forecast.measuring", measuring_by(measure))
    agent = {"agent_id": "a", "name": "A", "algorithm": "PPO", "version": 1}
    known = forecast(make_plan([agent], PlanOptions(total_timesteps=7200)))
    assert known.estimates is None
    assert known.warnings[-1].endswith(
        "60 env steps: 0.50 a second. At that speed, a trial of 7,200 env steps takes 4 h, without its updates."
    )
    shown = forecast_as_json(known)
    assert (shown["trials"][0]["estimate"], shown["total_seconds"]) == (None, None)
