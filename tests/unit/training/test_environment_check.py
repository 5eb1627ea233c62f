"""The check that comes before a run: how long it plays, what it closes, and what backends cannot do."""

from collections.abc import Callable
from typing import Any

import pytest
from contract_envs import Masked

from rlsweep.config.run import RunConfig
from rlsweep.config.training import EnvironmentSpec
from rlsweep.errors import ConfigError, EnvironmentSpecError
from rlsweep.training import environment_check
from rlsweep.training.environment_check import STEPS, check_environment

Make = Callable[..., RunConfig]
MASKED = EnvironmentSpec(id="contract_envs:Masked")


def count(monkeypatch: pytest.MonkeyPatch, name: str) -> list[int]:
    calls: list[int] = []
    original = getattr(Masked, name, None)

    def counted(self: Masked, *arguments: Any, **keywords: Any) -> Any:
        calls.append(1)
        return None if original is None else original(self, *arguments, **keywords)

    monkeypatch.setattr(Masked, name, counted)
    return calls


def test_it_plays_so_many_steps_and_closes_the_environment(make_config: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    steps, closed, seen = count(monkeypatch, "step"), count(monkeypatch, "close"), []
    checked = check_environment(make_config(environment=MASKED, total_timesteps=32), then=seen.append)
    assert (len(steps), len(closed), len(seen)) == (STEPS, 1, 1)
    assert checked.episodes == STEPS // 8


def test_an_episode_without_an_end_is_played_for_a_second(make_config: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment_check, "SECONDS", 0.05)
    monkeypatch.setattr(Masked, "step", lambda self, _: (self.seen(), 0.0, False, False, {}))
    assert check_environment(make_config(environment=MASKED, total_timesteps=32)).episodes == 0


def test_an_environment_that_cannot_be_closed(make_config: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Masked, "close", lambda _: 1 / 0)
    with pytest.raises(EnvironmentSpecError, match=r"close raises ZeroDivisionError: .*check.py, line \d+\)"):
        check_environment(make_config(environment=MASKED, total_timesteps=32))


def test_rllib_masks_only_discrete_actions(make_config: Make) -> None:
    config = make_config(environment=EnvironmentSpec(id="contract_envs:Bits"), total_timesteps=32, backend="rllib")
    with pytest.raises(ConfigError, match=r"backend: rllib trains MaskablePPO with Discrete actions only; .*sb3"):
        check_environment(config)


def test_what_looks_like_a_mask_is_no_matter_without_masks(make_config: Make) -> None:
    suggests = EnvironmentSpec(id="contract_envs:Suggests")
    assert check_environment(make_config(environment=suggests, algorithm="PPO", total_timesteps=32)).facts == {}
    with pytest.raises(EnvironmentSpecError, match=r"valid_action_mask\(\) looks like an action mask"):
        check_environment(make_config(environment=suggests, total_timesteps=32))
