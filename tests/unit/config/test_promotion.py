"""The next version of an agent config: the text of its file with some values replaced, or a fresh file."""

from pathlib import Path
from typing import Any

import pytest

from rlsweep.config.agent import AgentConfig
from rlsweep.config.loading import load_agent
from rlsweep.config.overrides import parse_overrides
from rlsweep.config.promotion import latest_version, next_name, parsed_stem, promoted_text, write_new
from rlsweep.errors import InputError

SHIPPED = sorted((Path(__file__).parents[3] / "config" / "agents").glob("*.yaml"))

COMMENTED = """\
# größer: a comment before all
agent_id: ppo_agent
name: PPO Agent (LR Low)   # its name
algorithm: MaskablePPO
version: 1  # raised by hand
sweep_variant: lr_low  # the variant
learning_rate: 1.0e-4  # the base has 3.0e-4
n_steps: 128

network:
  # small on purpose
  net_arch:
    - 32  # first
    - 16

# PPO
ppo:
  ent_coef: 0.02   # explores more
  clip_range: 0.1
# before the description
description: |
  Two lines
  of text.
"""


def target_of(trained: AgentConfig, **changes: Any) -> AgentConfig:
    values = {"name": "PPO Agent v2", "version": 2, "sweep_variant": None, "description": "From: a sweep #1; 95%"}
    return trained.model_copy(update=values | changes)


@pytest.mark.parametrize("original", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_config_keeps_its_text(original: Path, tmp_path: Path) -> None:
    target = target_of(load_agent(original, {}, ()).config)
    text, keeps = promoted_text(target, original, defaults={}, overrides=())
    assert keeps
    write_new(tmp_path / "ppo_agent_v2.yaml", text)
    assert load_agent(tmp_path / "ppo_agent_v2.yaml", {}, ()).config == target
    changed = set(text.splitlines()) ^ set(original.read_text().splitlines())
    assert all(line.startswith(("name:", "version:", "sweep_variant:", "description:")) for line in changed)


def test_values_by_env_step_are_written_as_people_write_them(tmp_path: Path) -> None:
    original = tmp_path / "lr_low.yaml"
    original.write_text(COMMENTED)
    steps = {"0": 1e-4, "40960": 2e-5}
    target = target_of(load_agent(original, {}, parse_overrides([f"learning_rate={steps}"])).config)
    for text, keeps in (
        promoted_text(target, original, defaults={}, overrides=[f"learning_rate={steps}"]),
        promoted_text(target, None, defaults={}, overrides=()),
    ):
        assert "learning_rate: {0: 0.0001, 40960: 2.0e-05}" in text
        assert keeps == ("# small on purpose" in text)
        path = tmp_path / f"ppo_agent_v{2 + keeps}.yaml"
        write_new(path, text)
        assert load_agent(path, {}, ()).config == target


def test_comments_stay_where_they_speak_of_what_stays(tmp_path: Path) -> None:
    original = tmp_path / "lr_low.yaml"
    original.write_text(COMMENTED)
    defaults = {"gamma": 0.9, "learning_rate": 0.5, "optimizer": {"eps": 1e-8}}
    overrides = ["ppo.ent_coef=0.05", "net_arch=[8]", "ppo.vf_coef=0.25", "environment=CartPole-v1"]
    target = target_of(load_agent(original, defaults, parse_overrides(overrides)).config)
    text, keeps = promoted_text(target, original, defaults=defaults, overrides=overrides)
    assert keeps
    assert (
        text
        == """\
# größer: a comment before all
agent_id: ppo_agent
name: PPO Agent v2   # its name
algorithm: MaskablePPO
version: 2  # raised by hand
sweep_variant: null
learning_rate: 1.0e-4  # the base has 3.0e-4
n_steps: 128

network:
  # small on purpose
  net_arch: [8]

# PPO
ppo:
  ent_coef: 0.05
  clip_range: 0.1
  vf_coef: 0.25
# before the description
description: 'From: a sweep #1; 95%'
gamma: 0.9

optimizer:
  eps: 1.0e-08
"""
    )
    (tmp_path / "next.yaml").write_text(text)
    assert load_agent(tmp_path / "next.yaml", {}, ()).config == target


@pytest.mark.parametrize(
    "text",
    [
        COMMENTED.replace("learning_rate: 1.0e-4", "learning_rate: 2.0e-4"),  # changed since
        COMMENTED.replace("agent_id", "agent"),
        "{ppo: ",
        None,
    ],
)
def test_a_file_that_gives_another_config_is_written_anew(text: str | None, tmp_path: Path) -> None:
    original = tmp_path / "lr_low.yaml"
    original.write_text(COMMENTED)
    target = target_of(load_agent(original, {}, ()).config, exploration={"epsilon": 0.1})
    original.unlink() if text is None else original.write_text(text)
    fresh, keeps = promoted_text(target, original, defaults={}, overrides=())
    assert not keeps
    assert "#" not in fresh.replace("sweep #1", "")
    (tmp_path / "next.yaml").write_text(fresh)
    assert load_agent(tmp_path / "next.yaml", {"gamma": 0.5, "network": {"activation_fn": "relu"}}, ()).config == target


@pytest.mark.parametrize(
    "line",
    ["ppo: {ent_coef: 0.02}", "x-net: &net [32, 16]\nnetwork: {net_arch: *net}", "network:\n  net_arch: [32,\n    16]"],
)
def test_other_ways_to_write_a_value_give_the_same_config(line: str, tmp_path: Path) -> None:
    original = tmp_path / "ppo.yaml"
    original.write_text(f"{line}\nagent_id: ppo\nname: PPO\nalgorithm: PPO\nversion: 0")
    overrides = ["ppo.vf_coef=0.1", "net_arch=[8, 8]", "learning_rate=linear_0.001"]
    target = target_of(load_agent(original, {}, parse_overrides(overrides)).config)
    text, _ = promoted_text(target, original, defaults={}, overrides=overrides)
    (tmp_path / "next.yaml").write_text(text)
    assert load_agent(tmp_path / "next.yaml", {}, ()).config == target


def test_json_becomes_yaml(tmp_path: Path) -> None:
    original = tmp_path / "ppo.json"
    original.write_text('{"agent_id": "ppo", "name": "PPO", "algorithm": "PPO", "version": 1}')
    target = target_of(load_agent(original, {}, ()).config)
    text, keeps = promoted_text(target, original, defaults={}, overrides=())
    (tmp_path / "next.yaml").write_text(text)
    assert (load_agent(tmp_path / "next.yaml", {}, ()).config, keeps) == (target, False)


def test_versions_are_those_in_the_folder(tmp_path: Path) -> None:
    assert latest_version(tmp_path / "none", "ppo") == latest_version(tmp_path, "ppo") == 0
    (tmp_path / "ppo_v3.yaml").write_text("{broken")
    (tmp_path / "other.json").write_text('{"agent_id": "ppo", "version": 5}')
    (tmp_path / "ppo_agent_v9.yaml").write_text("agent_id: ppo_agent\nversion: 9\n")
    (tmp_path / "notes.txt").write_text("agent_id: ppo\nversion: 11\n")
    assert latest_version(tmp_path, "ppo") == 5
    assert latest_version(tmp_path, "ppo_agent") == 9


def test_names_carry_their_version() -> None:
    assert (
        next_name("PPO Agent v1", 2)
        == next_name("PPO Agent (LR Low)", 2)
        == next_name("PPO Agent", 2)
        == "PPO Agent v2"
    )
    assert next_name("v1", 12) == "v1 v12"
    assert len(next_name("x" * 200, 3)) == 200
    assert parsed_stem("ppo_v2_v10") == ("ppo_v2", 10)
    with pytest.raises(InputError, match="--as must be AGENT_vVERSION, such as ppo_agent_v2; got 'ppo'"):
        parsed_stem("ppo")


def test_no_file_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "ppo_v2.yaml"
    write_new(path, "first")
    with pytest.raises(InputError, match=r"ppo_v2\.yaml exists already, and is left as it is"):
        write_new(path, "second")
    assert path.read_text() == "first"
    assert [each.name for each in path.parent.iterdir()] == ["ppo_v2.yaml"]
    with pytest.raises(InputError, match=r"Cannot write .*: Not a directory\. Name another folder with --out"):
        write_new(path / "below" / "ppo_v2.yaml", "third")
