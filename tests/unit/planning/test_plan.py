from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import TrainingConfig
from rlsweep.errors import ConfigError, InputError
from rlsweep.planning.plan import Plan, Trial, check_trials, make_plan, make_run

Write = Callable[..., Path]


def plan(*patterns: Path | str, **options: Any) -> Plan:
    defaults: dict[str, Any] = {
        "base_config": None,
        "mode": Mode.SMOKE,
        "episodes": None,
        "total_timesteps": None,
        "seeds": 1,
        "with_base": False,
    }
    return make_plan([str(pattern) for pattern in patterns], **(defaults | options))


def run(agent: Path, **options: Any) -> Trial:
    defaults: dict[str, Any] = {"base_config": None, "mode": Mode.FULL, "episodes": None, "total_timesteps": None}
    return make_run(agent, **(defaults | options))


def test_precedence_command_line_agent_base_defaults(write_agent: Write, write_base: Write) -> None:
    agent = write_agent(gamma=0.9, n_epochs=4, ppo={"ent_coef": 0.1}, network={"net_arch": [32]})
    base = write_base(
        n_envs=2,
        hyperparameters={
            "gamma": 0.5,
            "n_epochs": 5,
            "batch_size": 32,
            "ppo": {"ent_coef": 0.2, "vf_coef": 0.3},
            "network": {"net_arch": {"pi": [8], "vf": [8]}, "activation_fn": "relu"},
        },
    )
    config = run(agent, base_config=base, overrides=["n_epochs=3", "n_envs=4"]).config
    assert config.agent.n_epochs == 3
    assert config.agent.gamma == 0.9
    assert config.agent.ppo.ent_coef == 0.1
    assert config.agent.network.net_arch == (32,)
    assert config.agent.batch_size == 32
    assert config.agent.ppo.vf_coef == 0.3
    assert config.agent.network.activation_fn == "relu"
    assert config.agent.n_steps == 2048
    assert config.training.n_envs == 4
    assert config.training.hyperparameters == {}
    assert config.rollout_steps == 2048 * 4
    assert RunConfig.from_record(config.to_record()) == config


@pytest.mark.parametrize(
    ("base", "flags", "mode", "budget"),
    [
        ({}, {}, Mode.SMOKE, Budget(episodes=100, total_timesteps=10_000)),
        ({}, {}, Mode.FULL, Budget(episodes=100)),
        ({}, {"episodes": 7}, Mode.SMOKE, Budget(episodes=7)),
        ({}, {"total_timesteps": 7}, Mode.SMOKE, Budget(total_timesteps=7)),
        ({}, {"episodes": 7, "total_timesteps": 8}, Mode.SMOKE, Budget(episodes=7, total_timesteps=8)),
        ({"max_episodes": 5}, {}, Mode.SMOKE, Budget(episodes=5)),
        ({"total_timesteps": 5}, {}, Mode.SMOKE, Budget(total_timesteps=5)),
        ({"max_episodes": 5, "total_timesteps": 6}, {}, Mode.FULL, Budget(episodes=5, total_timesteps=6)),
        ({"max_episodes": 5, "total_timesteps": 6}, {"episodes": 7}, Mode.FULL, Budget(episodes=7)),
        ({}, {"overrides": ["max_episodes=9"]}, Mode.SMOKE, Budget(episodes=9)),
    ],
)
def test_budget(
    write_agent: Write, write_base: Write, base: dict[str, Any], flags: dict[str, Any], mode: Mode, budget: Budget
) -> None:
    config = run(write_agent(), base_config=write_base(**base), mode=mode, **flags).config
    assert config.budget == budget
    assert config.training.max_episodes is config.training.total_timesteps is None


def test_a_mode_changes_no_hyperparameter(write_agent: Write) -> None:
    smoke, full = (run(write_agent(), mode=mode, episodes=5).config for mode in Mode)
    assert smoke.agent == full.agent
    assert smoke.training == full.training


def test_seeds_are_shared_between_configs(write_agent: Write, write_base: Write) -> None:
    agents = [write_agent(sweep_variant="x"), write_agent(sweep_variant="y", gamma=0.9)]
    made = plan(*agents, base_config=write_base(seed=5), seeds=2)
    assert [(trial.config.agent.sweep_variant, trial.config.seed) for trial in made.trials] == [
        ("x", 5),
        ("y", 5),
        ("x", 6),
        ("y", 6),
    ]
    assert made.differing_keys == {"gamma": {"a_x": 0.99, "a_y": 0.9}}
    assert len({trial.key for trial in made.trials}) == 4
    assert all(trial.config_path.is_absolute() for trial in made.trials)


def test_keys_and_hashes(write_agent: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = write_agent(sweep_variant="x")
    first = run(agent)
    monkeypatch.chdir(tmp_path)
    assert run(Path(agent.name)).key == first.key
    assert run(agent, overrides=["gamma=0.5"]).key != first.key
    assert len(first.key) == len(first.config_hash) == 64
    renamed = write_agent(sweep_variant="y", name="Other", description="other", gamma=0.99, learning_rate=0.0003)
    assert run(renamed).config_hash == first.config_hash
    for override in ("gamma=0.5", "algorithm=PPO", "net_arch=[64]", "activation_fn=relu", "learning_rate=linear_3e-4"):
        assert run(agent, overrides=[override]).config_hash != first.config_hash
    as_a2c = run(agent, overrides=["algorithm=A2C"])
    assert run(agent, overrides=["algorithm=A2C", "batch_size=32"]).config_hash == as_a2c.config_hash


def test_one_schedule_however_it_is_written(write_agent: Write) -> None:
    hashes = {run(write_agent(learning_rate=written)).config_hash for written in ("linear_3e-4", "linear_0.00030")}
    assert len(hashes) == 1


def test_all_broken_files_at_once(write_agent: Write, write_base: Write, tmp_path: Path) -> None:
    bad = write_agent("bad.yaml", gamma=2, n_steps="x")
    (tmp_path / "worse.yaml").write_text("a: [")
    with pytest.raises(ConfigError) as caught:
        plan(
            write_agent(),
            bad,
            tmp_path / "worse.yaml",
            tmp_path / "*.json",
            base_config=write_base(n_envs=0),
            overrides=["gama=1"],
            episodes=0,
            seeds=0,
        )
    said = "\n".join(caught.value.problems)
    for part in (
        "--episodes must be at least 1 and at most 1000000000000, got 0",
        "--seeds must",
        "n_envs: must",
        "--set gama=1",
        "matches",
    ):
        assert part in said
    with pytest.raises(ConfigError) as caught:
        plan(tmp_path)
    assert [problem.partition(": ")[0] for problem in caught.value.problems] == [
        str(bad),
        str(bad),
        f"{tmp_path}/worse.yaml",
    ]


def test_seeds_above_what_numpy_takes(write_agent: Write, write_base: Write) -> None:
    with pytest.raises(ConfigError, match="the last seed would be above 2147483647"):
        plan(write_agent(), base_config=write_base(seed=2**31 - 1), seeds=2)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"batch_size": 1}, "batch_size: the advantage of one"),
        ({"n_steps": 1}, "n_steps: advantages of a rollout of one step"),
    ],
)
def test_what_no_algorithm_can_learn_with(write_agent: Write, keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        run(write_agent(**keys))
    assert run(write_agent(**keys, ppo={"normalize_advantage": False})).config.agent.n_epochs == 10


def test_with_base(write_agent: Write, tmp_path: Path) -> None:
    base = write_agent()
    variant = write_agent(sweep_variant="x", gamma=0.9)
    made = plan(tmp_path / "a_sweep_*.yaml")
    assert made.warnings == (
        f"the base config {base} is not in the sweep, so there is nothing to compare with; add --with-base",
    )
    with_it = plan(variant, with_base=True)
    assert [trial.config_path for trial in with_it.trials] == [variant, base]
    assert with_it.warnings == ()
    assert len(plan(tmp_path, with_base=True).trials) == 2
    base.unlink()
    with pytest.raises(ConfigError, match=r"no base config for .*a_sweep_x.yaml; expected a_v1.yaml in its folder"):
        plan(variant, with_base=True)


def test_a_budget_beyond_all_counting(write_agent: Write) -> None:
    with pytest.raises(ConfigError, match="--total-timesteps must be at least 1 and at most 1000000000000, got 2"):
        run(write_agent(), total_timesteps=2 * 10**12)


def test_configs_of_one_short_name_keep_apart(write_agent: Write) -> None:
    files = [write_agent("one.yaml", gamma=0.9), write_agent("two.yaml", gamma=0.8)]
    made = plan(*files, seeds=2)
    assert made.labels == tuple(f"a_v1 ({file})" for file in sorted(files))
    assert [trial.label for trial in made.trials] == [*made.labels, *made.labels]
    assert made.differing_keys == {"gamma": dict(zip(made.labels, (0.9, 0.8), strict=True))}


def test_a_plan_knows_how_it_was_asked_for(write_agent: Write, write_base: Write, tmp_path: Path) -> None:
    base = write_base(n_envs=2)
    made = plan(write_agent(), base_config=base, overrides=["gamma=0.9", "n_epochs=3"])
    assert (made.overrides, made.base_config_path) == (("gamma=0.9", "n_epochs=3"), base)
    assert plan(write_agent()).base_config_path is None


def test_a_gpu_is_asked_for_where_trials_get_none() -> None:
    training = TrainingConfig(device="cuda:0")
    with pytest.raises(InputError, match=r"device: cuda:0 needs a GPU, but trials get none. Add --gpus-per-trial"):
        check_trials(training, gpus_per_trial=0.0)
    check_trials(training, gpus_per_trial=0.5)
    check_trials(TrainingConfig(), gpus_per_trial=0.0)
