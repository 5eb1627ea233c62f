from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rlsweep.config.run import Mode
from rlsweep.errors import ConfigError
from rlsweep.planning.plan import make_plan

Write = Callable[..., Path]


def warnings(*paths: Path, overrides: tuple[str, ...] = ()) -> tuple[str, ...]:
    return make_plan(
        [str(path) for path in paths],
        base_config=None,
        overrides=overrides,
        mode=Mode.SMOKE,
        episodes=None,
        total_timesteps=None,
        seeds=1,
        with_base=False,
    ).warnings


def test_nothing_to_say(write_agent: Write) -> None:
    assert warnings(write_agent()) == ()


@pytest.mark.parametrize(
    ("file_name", "keys", "said"),
    [
        (None, {"batch_size": 100}, "a_v1: batch_size 100 does not divide n_steps × n_envs = 2048 × 1 = 2048: "
         "the last minibatch of each epoch has only 48 samples"),
        (None, {"batch_size": 4096}, "a_v1: batch_size 4096 is larger than n_steps × n_envs = 2048 × 1 = 2048: "
         "each minibatch is the whole rollout"),
        (None, {"batch_size": {0: 64, 4096: 100}}, "a_v1: batch_size 100 does not divide n_steps × n_envs = "
         "2048 × 1 = 2048: the last minibatch of each epoch has only 48 samples"),
        (None, {"exploration": {"type": "none"}}, "a_v1: exploration is ignored: MaskablePPO explores by the entropy "
         "of its policy (ppo.ent_coef)"),
        (None, {"algorithm": "A2C", "batch_size": 100, "ppo": {"clip_range": 0.1, "ent_coef": 0.1}},
         "a_v1: A2C ignores batch_size, ppo.clip_range"),
        (None, {"ppo": {"use_sde": True}, "network": {"log_std_init": -2}},
         "a_v1: MaskablePPO ignores network.log_std_init, ppo.use_sde"),
        (None, {"optimizer": {"weight_decay": 0.1}},
         "a_v1: the stock engine trains it, since the fast one does not support optimizer.weight_decay"),
        ("b.yaml", {}, "a_v1: b.yaml does not match its content; the usual file name is a_v1.yaml"),
        ("a_v2.yaml", {}, "a_v1: a_v2.yaml does not match its content; the usual file name is a_v1.yaml"),
        ("a_sweep_x.yaml", {}, "a_v1: a_sweep_x.yaml has the file name of a variant, but no sweep_variant; "
         "write sweep_variant: x"),
        ("a_v1.yaml", {"sweep_variant": "x"},
         "a_x: a_v1.yaml has the file name of a base config, but sweep_variant: x; rename it to a_sweep_x.yaml"),
        ("a_sweep_y.yaml", {"sweep_variant": "x"}, "a_x: a_sweep_y.yaml does not match its content; "
         "the usual file name is a_sweep_x.yaml"),
        ("a_sweep_tune_v2.yaml", {"sweep_variant": "x"}, "a_x: a_sweep_tune_v2.yaml does not match its content; "
         "the usual file name is a_sweep_x.yaml"),
    ],
)  # fmt: skip
def test_one_config(write_agent: Write, file_name: str | None, keys: dict[str, Any], said: str) -> None:
    assert warnings(write_agent(file_name, **keys)) == (said,)


def test_a_key_that_the_algorithm_ignores_cannot_change(write_agent: Write) -> None:
    with pytest.raises(ConfigError, match="batch_size: A2C does not use it, so it cannot change; give it one value"):
        warnings(write_agent(algorithm="A2C", batch_size={0: 64, 4096: 128}))


def test_the_fast_engine_refuses_what_only_stock_trains(write_agent: Write) -> None:
    path = write_agent(optimizer={"weight_decay": 0.1})
    with pytest.raises(ConfigError) as caught:
        warnings(path, overrides=("engine=fast",))
    said = "optimizer.weight_decay: engine: fast does not support it; use auto or stock"
    assert caught.value.problems == (f"{path}: {said}",)
    assert warnings(path, overrides=("engine=stock",)) == ()


def test_a_link_that_leads_nowhere_is_a_warning(write_agent: Write, tmp_path: Path) -> None:
    write_agent()
    (tmp_path / "a_sweep_x.yaml").symlink_to("gone.yaml")
    said = f"{tmp_path}/a_sweep_x.yaml is a link to 'gone.yaml', which does not exist: it is left out"
    assert warnings(tmp_path / "*.yaml") == (said,)


def test_n_envs_counts(write_agent: Write) -> None:
    path = write_agent(batch_size=4096)
    assert warnings(path, overrides=("n_envs=2",)) == ()


def test_twins(write_agent: Write) -> None:
    said = warnings(write_agent(sweep_variant="x"), write_agent(sweep_variant="y"))
    assert said == ("a_x, a_y have the same hyperparameters, so they compare a config with itself",)


def test_namesakes(write_agent: Write) -> None:
    paths = [write_agent(), write_agent("b.yaml", gamma=0.9)]
    said = warnings(*paths)
    assert said[0].startswith(f"{paths[0]}, {paths[1]} have the same short name a_v1, so lists and charts")
    assert said[1].startswith(f"a_v1 ({paths[1]}): b.yaml does not match its content")


def test_mixed_algorithms(write_agent: Write) -> None:
    said = warnings(write_agent(), write_agent(version=2, algorithm="PPO"))
    assert said == (
        "the sweep has several algorithms (MaskablePPO: a_v1; PPO: a_v2): "
        "differences are not only due to hyperparameters",
    )


def test_one_warning_for_many_configs(write_agent: Write) -> None:
    paths = [write_agent(sweep_variant=f"x{i}", batch_size=100, gamma=0.9 + i / 100) for i in range(5)]
    (said,) = warnings(*paths)
    assert said.startswith("a_x0, a_x1, a_x2 and 2 more: batch_size 100 does not divide")


def test_a_change_behind_the_budget_is_a_warning(write_agent: Write) -> None:
    path = write_agent(n_steps=100, batch_size=50, learning_rate={0: 1e-3, 300: 1e-4, 301: 1e-5})

    def said(total_timesteps: int) -> tuple[str, ...]:
        return make_plan(
            [str(path)], base_config=None, mode=Mode.SMOKE, episodes=None, total_timesteps=total_timesteps, seeds=1,
            with_base=False,
        ).warnings  # fmt: skip

    assert said(500) == ()
    assert said(400) == (
        "a_v1: learning_rate changes at env step 301, and the last rollout of 400 env steps begins at 300: it never "
        "has the value from there on",
    )
