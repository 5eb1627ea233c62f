"""What cannot be drawn is refused before anything starts, with every problem of the file at once."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from planned_space import BASE, planned

from rlsweep.cli import main
from rlsweep.config.given import GivenConfig
from rlsweep.errors import ConfigError, InputError
from rlsweep.planning.plan import check_all_drawn
from rlsweep.spaces.flags import SpaceFlags
from rlsweep.spaces.reading import read_space

README = Path(__file__).parents[3] / "config" / "sweeps" / "README.md"
OF_A_KEY: list[tuple[str, Any, str]] = [
    ("lr", {"log": [1e-5, 1e-2]}, "space.lr: unknown key; write learning_rate instead"),
    ("network.net_arc", {"choice": [[8]]}, "space.network.net_arc: unknown key; did you mean network.net_arch?"),
    ("ppo", {"choice": [1, 2]}, "space.ppo: is a section; name a key in it, such as ppo.clip_range"),
    (
        "n_envs",
        {"integer": [1, 4]},
        "space.n_envs: is the same in all trials of a sweep; set it",
    ),
    ("agent_id", {"choice": ["a", "b"]}, "space.agent_id: agent_id belongs to one config file"),
    (
        "gamma",
        {"uniform": [0.99, 0.9]},
        "space.gamma: uniform: the range [0.99, 0.9] is empty; its low end",
    ),
    ("gamma", {"uniform": [0.9, 0.9]}, "space.gamma: uniform: the range [0.9, 0.9] is empty"),
    ("learning_rate", {"log": [0, 1e-2]}, "log: the low end must be above 0, got 0: a logarithm of it does not exist"),
    ("ppo.ent_coef", {"log": [-1, 1]}, "space.ppo.ent_coef: log: the low end must be above 0, got -1"),
    ("gamma", {"choice": [0.9, 1.5]}, "space.gamma: must be at most 1, got 1.5"),
    ("gamma", {"uniform": [0.9, 1.5]}, "space.gamma: must be at most 1, got 1.5"),
    ("ppo.ent_coef", {"uniform": [0.1, 0.5], "or": -1}, "space.ppo.ent_coef: must be at least 0, got -1"),
    ("network.net_arch", {"choice": [[64, 0]]}, "space.network.net_arch[1]: must be at least 1, got 0"),
    (
        "network.activation_fn",
        {"choice": ["tanh", "gelu"]},
        "space.network.activation_fn: must be one of tanh",
    ),
    ("algorithm", {"choice": ["PPO", "SAC"]}, "space.algorithm: unknown algorithm 'SAC'"),
    ("n_steps", {"uniform": [128, 512]}, "space.n_steps: must be a whole number; write {integer: [128, 512]}"),
    ("n_steps", {"log": [128, 512]}, "space.n_steps: must be a whole number; write {log_integer: [128, 512]}"),
    ("n_steps", {"integer": [128.5, 512]}, "integer: both ends must be whole numbers, got [128.5, 512]"),
    ("gamma", {"unifrom": [0.9, 0.99]}, "space.gamma: unifrom: unknown kind; did you mean uniform?"),
    ("gamma", {"loguniform": [0.9, 0.99]}, "space.gamma: loguniform: unknown kind; write log: [LOW, HIGH]"),
    ("gamma", {"values": [0.9, 0.99]}, "space.gamma: values: unknown kind; write choice: [A, B, …]"),
    ("gamma", {"min": 0.9, "max": 0.99}, "space.gamma: min: unknown kind; write uniform: [LOW, HIGH]"),
    (
        "gamma",
        {"uniform": [0.9, 0.99], "log": [0.9, 0.99]},
        "space.gamma: has uniform and log; write one",
    ),
    ("gamma", {"step": 0.1}, "space.gamma: has no kind; write one of uniform, log, integer, log_integer, choice"),
    ("gamma", {"uniform": [0.9]}, "space.gamma: uniform: must be two numbers [LOW, HIGH], got [0.9]"),
    ("gamma", {"uniform": ["0.9", 1]}, 'space.gamma: uniform: must be two numbers [LOW, HIGH], got ["0.9", 1]'),
    ("gamma", {"uniform": [0.1, 0.9], "step": 2}, "space.gamma: step: 2 is larger than the range [0.1, 0.9]"),
    ("gamma", {"uniform": [0.1, 0.9], "step": 1e-300}, "space.gamma: step: a range has at most 1,000,000 steps"),
    ("gamma", {"uniform": [0.1, 0.9], "step": 0}, "space.gamma: step: must be a number above 0, got 0"),
    ("gamma", {"log": [0.1, 0.9], "step": 0.1}, "space.gamma: step: log has none; write the values as a choice"),
    ("n_epochs", {"integer": [1, 9], "step": 0.5}, "space.n_epochs: step: must be a whole number, got 0.5"),
    ("gamma", {"choice": []}, "space.gamma: choice: must be a list of values, got []"),
    ("gamma", {"choice": [0.9, 0.9]}, "space.gamma: choice: has 0.9 twice"),
    ("gamma", {"choice": [0.9], "or": 0.8}, "space.gamma: or: a choice has none; add it to its values"),
    ("gamma", [0.9, 0.99], "must be a range or a choice, got [0.9, 0.99]; write {choice: [0.9, 0.99]}"),
    ("gamma", 0.9, "got 0.9; a value that is the same in every config stands in the base config"),
    (
        "gamma",
        {"choice": [0.9, 0.99], "when": "n_epoch > 3"},
        "when: 'n_epoch > 3': n_epoch: unknown key",
    ),
    ("gamma", {"choice": [0.9, 0.99], "when": "gamma > 3"}, "space.gamma: when: 'gamma > 3' looks at gamma itself"),
    ("gamma", {"choice": [0.9, 0.99], "when": 3}, "when: must be a condition such as 'batch_size <= n_steps', got 3"),
]
SPACE = {"gamma": {"choice": [0.9, 0.95]}}
OF_A_FILE: list[tuple[dict[str, Any], str]] = [
    ({"base": ...}, "base: is missing; write base: config/agents/ppo_agent_v1.yaml"),
    ({"base": "a_v2.yaml"}, "base: Agent config file not found:"),
    ({"base": 3}, "base: must be the path of an agent config, got 3"),
    ({"base": "*.yaml"}, "base: must be one agent config, '*.yaml' matches 2 files"),
    ({"sampler": "sobl"}, "sampler: unknown sampler 'sobl', known are grid, random, sobol, tpe, cmaes; did you mean"),
    ({"sampler": "bayes"}, "sampler: unknown sampler 'bayes'; write tpe instead"),
    ({"sampler": "cmaes", "configs": 1001}, "configs: must be at most 1000 with cmaes, got 1001"),
    ({"sampler": "lhs"}, "sampler: unknown sampler 'lhs'; write sobol instead"),
    ({"description": 3}, "description: must be text, got 3"),
    ({"configs": 1}, "configs: must be a whole number from 2 to 10000, got 1"),
    ({"seed": -1}, "seed: must be a whole number from 0 to 4294967295, got -1"),
    ({"spce": {}}, "spce: unknown key; did you mean space?"),
    ({"space": ...}, "space: is missing; write an entry such as learning_rate: {log: [1.0e-5, 1.0e-2]}"),
    ({"space": {}}, "space: is empty"),
    ({"space": [1]}, "space: must map keys to ranges and choices, got [1]"),
    ({"space": {"ent_coef": {"log": [0.1, 1]}, "ppo.ent_coef": {"log": [0.1, 1]}}}, "ppo.ent_coef has a space already"),
    (
        {"sampler": "grid", "space": {"gamma": {"uniform": [0.9, 0.99]}}},
        "a grid needs single values",
    ),
    (
        {"sampler": "grid", "space": {"n_epochs": {"integer": [1, 20000]}}},
        "the grid has 20,000 points, at most",
    ),
    ({"constraints": "gamma > 1"}, "constraints: must be a list such as ['batch_size <= n_steps'], got 'gamma > 1'"),
    ({"constraints": ["gamma >"]}, "constraints[0]: 'gamma >' cannot be read; write it as 'batch_size <= n_steps'"),
    ({"constraints": ["gama > 1"]}, "constraints[0]: 'gama > 1': gama: unknown key; did you mean gamma?"),
    ({"constraints": ["gamma + 1"]}, "constraints[0]: 'gamma + 1' compares nothing"),
    (
        {"constraints": ["gamma > 0.99"]},
        "constraints[0]: 'gamma > 0.99' is a constraint that nothing fulfils",
    ),
    ({"constraints": ["gamma > 0.9", "gamma < 0.95"]}, "no draw of 1,000 fulfils all constraints at once"),
    (
        {"constraints": ["gamma > ppo.target_kl"]},
        "constraints[0]: gamma > ppo.target_kl: ppo.target_kl is nothing",
    ),
    (
        {"constraints": ["gamma / (n_steps - 2048) > 1"]},
        "constraints[0]: gamma / (n_steps - 2048) > 1: divides",
    ),
    (
        {"configs": 9},
        "configs: 1,000 draws in a row brought no new config after 3, the base",
    ),
    (
        {
            "space": {
                "gamma": {"choice": [1], "when": "n_epochs > 1"},
                "n_epochs": {"choice": [5], "when": "gamma > 0"},
            }
        },
        "space: `when` goes in a circle: gamma → n_epochs → gamma",
    ),
]


def problems_of(given: Any, **more: Any) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        planned(given, **more)
    return list(refused.value.problems)


def written(beside: Path, **keys: Any) -> Path:
    data = {"base": str(beside), "sampler": "random", "space": SPACE} | keys
    path = beside.with_name("space.yaml")
    path.write_text(yaml.safe_dump({key: value for key, value in data.items() if value is not ...}, sort_keys=False))
    return path


@pytest.mark.parametrize(("key", "entry", "problem"), OF_A_KEY)
def test_each_mistake_in_an_entry_is_named(base: Path, key: str, entry: Any, problem: str) -> None:
    path = written(base, space={key: entry})
    assert [each for each in problems_of(path) if problem in each and each.startswith(f"{path}: space.{key}")]


@pytest.mark.parametrize(("keys", "problem"), OF_A_FILE)
def test_each_mistake_in_a_file_is_named(
    base: Path, monkeypatch: pytest.MonkeyPatch, keys: dict[str, Any], problem: str
) -> None:
    monkeypatch.chdir(base.parent)
    path = written(base, **keys)
    assert [each for each in problems_of(path) if each.startswith(f"{path}: ") and problem in each]


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (SpaceFlags(sampler="bayes"), "--sampler bayes: unknown sampler 'bayes'; write tpe instead"),
        (SpaceFlags(sampler="tpe", configs=1001), "--configs 1001: must be at most 1000 with tpe, got 1001"),
        (
            SpaceFlags(configs=9),
            "--configs 9: 1,000 draws in a row brought no new config after 3, the base included; give --configs 3, or "
            "widen the space",
        ),
        (
            SpaceFlags(population=9),
            "--population 9: 1,000 draws in a row brought no new config after 3, the base included; widen the space",
        ),
    ],
)
def test_what_a_flag_gives_is_named_by_the_flag(base: Path, flags: SpaceFlags, problem: str) -> None:
    assert problems_of(written(base, configs=5), flags=flags) == [problem]


def test_all_problems_of_a_file_are_told_at_once(base: Path) -> None:
    entries = {key: entry for key, entry, _ in OF_A_KEY if key != "ppo"}
    path = written(base, space=entries, sampler="sobl", configs=0, constraints=["gama > 1", "gamma"], colour=3)
    found = problems_of(path, sets=("gamme=3",))
    assert len(found) >= len(entries) + 5
    assert found[0] == "--set gamme=3: unknown key; did you mean gamma?"


def test_flags_make_a_space_or_add_to_one(base: Path) -> None:
    flags = SpaceFlags(
        entries=("ppo.ent_coef=log:1e-4..1e-1", "net_arch=choice:[64, 64],[8]", "gamma={uniform: [0.9, 0.99], or: 1}"),
        configs=5,
        seed=3,
    )
    alone = planned(base, flags=flags)
    assert len(alone.labels) == 5
    assert alone.space is not None
    assert (alone.space["source"], alone.space["base"], alone.space["seed"]) == ("--space", str(base), 3)
    assert set(alone.differing_keys) == {"ppo.ent_coef", "network.net_arch", "gamma"}
    added = planned(written(base, space={"n_epochs": {"integer": [1, 9]}}, configs=9), flags=flags)
    assert len(added.labels) == 5, "flags win"
    assert set(added.differing_keys) == {"ppo.ent_coef", "network.net_arch", "gamma", "n_epochs"}


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        (("gamma=0.9..1",), "--space gamma=0.9..1: write KEY=KIND:LOW..HIGH or KEY=choice:A,B, such as"),
        (("gamma",), "--space gamma: write KEY=KIND:LOW..HIGH"),
        (("gamma=uniform:0.9",), "--space gamma=uniform:0.9: write KEY=KIND:LOW..HIGH"),
        (("gamma=choice:[",), "--space gamma=choice:[: '[[]' cannot be read"),
        (("gama=uniform:0..1",), "--space gama: unknown key; did you mean gamma?"),
        (
            ("gamma=uniform:0..1", "gamma=choice:1"),
            "--space gamma=choice:1: gamma has a space already; keep one of the two",
        ),
        (("ppo.ent_coef=log:0..1",), "--space ppo.ent_coef: log: the low end must be above 0, got 0"),
        (("ent_coef=log:1..2", "ppo.ent_coef=log:1..2"), "--space ppo.ent_coef: ppo.ent_coef has a space already"),
    ],
)
def test_each_mistake_in_a_flag_is_named(base: Path, entries: tuple[str, ...], problem: str) -> None:
    assert [each for each in problems_of(base, flags=SpaceFlags(entries=entries)) if each.startswith(problem)]


def test_a_file_and_a_flag_cannot_both_draw_a_key_nor_can_a_value_be_set(base: Path) -> None:
    path = written(base)
    twice = problems_of(path, flags=SpaceFlags(entries=("gamma=uniform:0..1",)))
    assert twice == ["--space gamma: gamma has a space already, space.gamma; keep one of the two"]
    assert problems_of(path, sets=("gamma=0.5",)) == [
        f"--set gamma gives gamma one value, and {path} draws it; keep one of the two"
    ]
    drawn = planned(path, sets=("n_epochs=3",))
    assert {trial.config.agent.n_epochs for trial in drawn.trials} == {3}, "other keys can be set"


def test_flags_need_one_base(base: Path) -> None:
    other = base.with_name("a_v2.yaml")
    other.write_text(yaml.safe_dump(BASE | {"version": 2}))
    flags = SpaceFlags(entries=("gamma=uniform:0..1",))
    with pytest.raises(ConfigError, match=r"--space gamma=uniform:0..1: name one agent config .*, 2 were given"):
        planned(base, other, flags=flags)
    with pytest.raises(ConfigError, match="--configs 3: nothing is drawn; give a search space, or --space KEY=RANGE"):
        planned(base, flags=SpaceFlags(configs=3))


def test_a_sweep_has_one_space(base: Path) -> None:
    one = written(base)
    other = one.with_name("other.yaml")
    other.write_text(one.read_text())
    with pytest.raises(ConfigError, match="a sweep has one search space"):
        planned(one, other)
    beside = planned(one, base, {**BASE, "sweep_variant": "b", "gamma": 0.5})
    assert beside.labels[0] == "a_v1", "the base, which is also given by itself, counts once"
    assert sorted(beside.labels[1:]) == ["a_b", "a_gamma_0.9", "a_gamma_0.95"]


def test_the_messages_that_the_readme_explains_are_said(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(base.parent)
    section = README.read_text().partition("## When something is wrong")[2].partition("\n### ")[0]
    explained = re.findall(r"^\| `(.*)` \| ", section, re.MULTILINE)
    assert len(explained) >= 15
    said = [problem for key, entry, _ in OF_A_KEY for problem in problems_of(written(base, space={key: entry}))]
    said += [problem for keys, _ in OF_A_FILE for problem in problems_of(written(base, **keys))]
    said += problems_of(written(base), sets=("gamma=0.5",))
    said += problems_of(written(base, space={"gamma": {"log": [0.9, 0.95]}}, sampler="grid"))
    other = base.with_name("other.yaml")
    for number in range(2, 5):
        base.with_name(f"a_v{number}.yaml").write_text(yaml.safe_dump(BASE | {"version": number}))
    said += problems_of(str(base.parent / "a_v*.yaml"), flags=SpaceFlags(entries=("gamma=uniform:0..1",)))
    other.write_text(written(base).read_text())
    said += problems_of(str(base.parent / "*.yaml"))
    with pytest.raises(InputError) as refused:
        check_all_drawn(planned({"base": BASE, "sampler": "tpe", "space": SPACE}))
    said.append(str(refused.value))
    for message in explained:
        assert any(all(part in problem for part in message.split("…")) for problem in said), message


def test_the_commands_take_the_flags_and_start_nothing(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"RLSWEEP_HOME": str(tmp_path / "home")}
    flags = ["--space", "gama=uniform:0..1", "--sampler", "grid", "--configs", "0", "--space-seed", "-1"]
    for command in ("plan", "submit", "race"):
        assert main([command, str(base), *flags], environ) == 2
        said = capsys.readouterr().err.splitlines()
        assert said == [
            "Error: --configs 0: must be a whole number from 2 to 10000, got 0",
            "--space-seed -1: must be a whole number from 0 to 4294967295, got -1",
            "--space gama: unknown key; did you mean gamma?",
        ]
    path = written(base)
    assert main(["train", "--agent-config", str(path)], environ) == 2
    assert f"{path}: is a search space, which has many configs; give it to submit or race" in capsys.readouterr().err
    adaptive = written(base, sampler="tpe")
    for command in ("submit", "plan"):
        assert main([command, str(adaptive)], environ) == 2
        assert f"Use rlsweep race {adaptive}, or take sampler: sobol." in capsys.readouterr().err.replace("\n", " ")
    assert not (tmp_path / "home").exists()


NAMES = [
    "gamma",
    "lr",
    "ppo",
    "n_steps",
    "network.net_arch",
    "uniform",
    "log",
    "integer",
    "log_integer",
    "choice",
    "step",
]
NAMES += ["or", "when", "base", "sampler", "configs", "seed", "space", "constraints", "x-a", ""]
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["grid", "sobol", "random", "gamma > 0.5", "n_steps // 0 == 1", "a_v1.yaml", "\x1b[2J", "*"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None, derandomize=True, phases=[Phase.generate])
@given(data=st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=5), entries=st.dictionaries(
    st.sampled_from(NAMES), st.dictionaries(st.sampled_from(NAMES), ANYTHING, min_size=1, max_size=3), max_size=3
))  # fmt: skip
def test_any_space_is_read_or_refused_with_problems(data: dict[str, Any], entries: dict[str, Any]) -> None:
    for each in (data, {"base": BASE, "space": entries}, {"base": BASE, "space": entries} | data):
        with suppress(ConfigError):
            space = read_space(GivenConfig("configs[0]", each), more={})
            assert len(space.dimensions) >= 1
