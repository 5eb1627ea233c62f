"""The warning about an environment whose episodes may never end."""

from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from rlsweep.api import train
from rlsweep.config.run import Mode, RunConfig
from rlsweep.places.observer import ProgressObserver
from rlsweep.planning.estimate import Measurement
from rlsweep.planning.forecast import make_forecast
from rlsweep.planning.plan import make_plan
from rlsweep.training import environment_check

AGENT = {"agent_id": "a", "name": "A", "algorithm": "PPO", "version": 1}

MEASURED = Measurement(
    episodes=0,
    mean_episode_length=None,
    env_seconds_per_step=1e-3,
    policy_seconds_per_step=1e-3,
    minibatch_seconds=1e-3,
    peak_memory_bytes=1,
    checkpoint_bytes=1,
    n_actions=2,
    observation_size=1,
)


class Endless(gym.Env[Any, Any]):
    """No episode ends."""

    observation_space = gym.spaces.Box(0, 1, (1,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return np.zeros(1, np.float32), 1.0, False, False, {}


def plan(mode: Mode = Mode.FULL, *, episodes: int | None = 40, total_timesteps: int | None = None, **base: Any) -> Any:
    base_config = {"environment": {"id": f"{__name__}:Endless"}} | base
    budget: dict[str, Any] = {"episodes": episodes, "total_timesteps": total_timesteps}
    return make_plan([AGENT], base_config=base_config, mode=mode, seeds=2, with_base=False, **budget)


def warned(made: Any, measured: Measurement = MEASURED) -> list[str]:
    warnings = make_forecast(made, [measured] * len(made.trials)).warnings
    return [warning for warning in warnings if "train for ever" in warning]


def test_a_plan_of_endless_episodes_names_what_ends_them() -> None:
    (said,) = warned(plan())
    assert said.startswith(f"No episode of {__name__}:Endless ended while it was tried")
    assert "Set max_steps_per_episode" in said


@pytest.mark.parametrize(
    "made", [plan(total_timesteps=100), plan(max_steps_per_episode=9), plan(Mode.SMOKE, episodes=None)]
)
def test_what_bounds_a_run_otherwise_needs_no_warning(made: Any) -> None:
    assert warned(made) == []


def test_episodes_that_ended_need_no_warning() -> None:
    assert warned(plan(), replace(MEASURED, episodes=3, mean_episode_length=9.0)) == []


class Heard(ProgressObserver):
    """Keeps the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def message(self, text: str) -> None:
        pass

    def warning(self, text: str) -> None:
        self.warnings.append(text)


def test_train_says_it_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment_check, "SECONDS", 0.1)
    config: RunConfig = plan().trials[0].config
    limited = plan(max_steps_per_episode=9).trials[0].config
    for given, said in ((config, 1), (limited, 0)):
        observer = Heard()
        train._tell_of_environment(train._check(given), given, observer)
        assert len(observer.warnings) == said
    assert train._check(limited).episodes > 0
