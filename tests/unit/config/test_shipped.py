from pathlib import Path

import pytest

from rlsweep.config.loading import load_training
from rlsweep.config.run import Mode
from rlsweep.planning.plan import make_plan

ROOT = Path(__file__).parents[3]
AGENTS = ROOT / "config" / "agents"
BASES = sorted((ROOT / "config" / "training").glob("*.yaml"))


@pytest.mark.parametrize("base", [None, *BASES], ids=lambda base: base.stem if base else "none")
def test_every_shipped_config_is_sound(base: Path | None) -> None:
    plan = make_plan(
        [str(AGENTS)],
        base_config=base,
        mode=Mode.FULL,
        episodes=None,
        total_timesteps=None,
        seeds=1,
        with_base=True,
    )
    assert plan.warnings == ()
    assert {trial.config.agent.short_name for trial in plan.trials} == {
        "ppo_agent_v1",
        "ppo_agent_lr_high",
        "ppo_agent_lr_low",
        "ppo_agent_gamma_high",
    }
    assert plan.differing_keys == {
        "learning_rate": {
            "ppo_agent_gamma_high": 3e-4,
            "ppo_agent_lr_high": 1e-3,
            "ppo_agent_lr_low": 1e-4,
            "ppo_agent_v1": 3e-4,
        },
        "gamma": {
            "ppo_agent_gamma_high": 0.999,
            "ppo_agent_lr_high": 0.99,
            "ppo_agent_lr_low": 0.99,
            "ppo_agent_v1": 0.99,
        },
    }


def test_base_configs_are_named_after_their_files() -> None:
    assert {load_training(path, ()).name for path in BASES} == {path.stem for path in BASES}
    assert len(BASES) >= 8


def test_the_shipped_space_is_drawn_without_a_warning_of_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    plan = make_plan(
        ["config/sweeps/connect_four.yaml"],
        base_config=None,
        mode=Mode.SMOKE,
        episodes=None,
        total_timesteps=20_480,
        seeds=1,
        with_base=False,
    )
    assert len(plan.labels) == 32
    assert plan.labels[0] == "ppo_agent_v1"
    assert plan.warnings == ()
    assert all(trial.config.agent.batch_size <= trial.config.agent.n_steps for trial in plan.trials)
