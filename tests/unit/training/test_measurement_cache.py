import json
from collections.abc import Callable
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rlsweep.config.run import RunConfig
from rlsweep.config.training import EnvironmentSpec, EvaluationConfig, WrapperSpec
from rlsweep.planning import measurement_cache, own_files
from rlsweep.planning.estimate import Measurement
from rlsweep.planning.measurement_cache import MAX_AGE, read_cache, write_cache

Make = Callable[..., RunConfig]
MEASURED = Measurement(
    **{
        each.name: number
        for number, each in enumerate(fields(Measurement))
        if each.default is each.default_factory is MISSING
    }
)
"""What its figures are does not matter here."""
GAME = EnvironmentSpec(id="open_spiel/tic_tac_toe")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "measurements.json"


def test_what_was_measured_is_recalled_for_other_hyperparameters_and_seeds(file: Path, make_config: Make) -> None:
    before = datetime.now(UTC)
    write_cache(file, [make_config(environment=GAME)], [MEASURED])
    recalled = read_cache(file, [make_config(environment=GAME, agent={"learning_rate": 0.5}, seed=7)] * 2)
    assert recalled is not None
    assert [each.measurement for each in recalled] == [MEASURED] * 2
    assert all(before <= each.at <= datetime.now(UTC) for each in recalled)


@pytest.mark.parametrize(
    "other",
    [
        {"environment": "open_spiel/connect_four"},
        {"environment": EnvironmentSpec(id=GAME.id, opponent="mcts")},
        {"environment": EnvironmentSpec(id=GAME.id, frame_stack=4)},
        {"environment": EnvironmentSpec(id=GAME.id, opponent="self")},
        {"evaluation": EvaluationConfig(opponent="mcts")},
        {"n_envs": 2},
        {"engine": "stock"},
        {"agent": {"network": {"net_arch": [16]}}},
        {"agent": {"n_steps": 128}},
        {"algorithm": "PPO"},
    ],
    ids=str,
)
def test_what_would_be_measured_otherwise_is_not_recalled(file: Path, make_config: Make, other: dict[str, Any]) -> None:
    same, another = make_config(environment=GAME), make_config(**{"environment": GAME} | other)
    write_cache(file, [same], [MEASURED])
    assert read_cache(file, [another]) is None
    assert read_cache(file, [same, another]) is None, "one is missing"
    write_cache(file, [another], [replace(MEASURED, n_actions=99)])
    recalled = read_cache(file, [same, another])
    assert recalled is not None
    assert [each.measurement.n_actions for each in recalled] == [MEASURED.n_actions, 99]


@pytest.mark.parametrize("environment", [{"opponent": "/best.zip"}, {"id": "__main__:Game"}, {"id": "unknown_x:Game"}])
def test_what_cannot_be_told_from_its_files_is_measured_every_time(
    file: Path, make_config: Make, environment: dict[str, Any]
) -> None:
    config = make_config(environment=EnvironmentSpec(**environment))
    write_cache(file, [config], [MEASURED])
    assert read_cache(file, [config]) is None


@pytest.mark.parametrize(
    ("config", "changed"),
    [
        ({"environment": EnvironmentSpec(id="mine_alone:Game")}, "mine_alone.py"),
        ({"environment": EnvironmentSpec(id="mine_alone:Game-v0(a=1)")}, "helper.py"),
        ({"environment": EnvironmentSpec(id="mine_all.games:Game")}, "mine_all/games/level.txt"),
        ({"environment": EnvironmentSpec(wrappers=(WrapperSpec(id="mine_all:Wrapper"),))}, "mine_all/__init__.py"),
        ({"agent": {"network": {"features_extractor": "mine_alone:Extractor"}}}, "mine_alone.py"),
    ],
)
def test_a_users_own_class_is_measured_again_once_a_file_of_its_module_has_changed(
    file: Path,
    make_config: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, Any],
    changed: str,
) -> None:
    code = tmp_path / "code"
    monkeypatch.syspath_prepend(code)
    for name in ("mine_alone.py", "helper.py", "mine_all/__init__.py", "mine_all/games/level.txt"):
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text("raise AssertionError('it is not imported')")
    own = make_config(**{"environment": GAME} | config)
    write_cache(file, [own], [MEASURED])
    assert read_cache(file, [own]) is not None
    (code / "notes.txt").write_text("beside the code")
    assert read_cache(file, [own]) is not None
    (code / changed).write_text("raise AssertionError('it is not imported, though it changed')")
    assert read_cache(file, [own]) is None
    monkeypatch.setattr(own_files, "MOST_FILES", 0)
    write_cache(file, [own], [MEASURED])
    assert read_cache(file, [own]) is None


@pytest.mark.parametrize("age", [MAX_AGE + timedelta(seconds=1), -timedelta(minutes=5)], ids=["old", "to come"])
def test_a_day_later_it_is_forgotten_and_so_is_what_a_wrong_clock_dated(
    file: Path, make_config: Make, age: timedelta
) -> None:
    config = make_config(environment=GAME)
    write_cache(file, [config], [MEASURED])
    kept = json.loads(file.read_text())
    for each in kept.values():
        each["at"] = (datetime.now(UTC) - age).isoformat()
    file.write_text(json.dumps(kept))
    assert read_cache(file, [config]) is None
    write_cache(file, [make_config(environment=GAME, agent={"n_steps": 128})], [MEASURED])
    assert len(json.loads(file.read_text())) == 1, "what does not count goes"


def test_packages_that_come_or_go_make_it_forget(
    file: Path, make_config: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "site-packages"
    packages.mkdir()
    monkeypatch.setattr(measurement_cache.sysconfig, "get_path", lambda _: str(packages))
    config = make_config(environment=GAME)
    write_cache(file, [config], [MEASURED])
    assert read_cache(file, [config]) is not None
    (packages / "another-1.0.dist-info").mkdir()
    assert read_cache(file, [config]) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 1}', b"\xff"])
def test_a_damaged_file_is_no_obstacle(file: Path, make_config: Make, content: bytes) -> None:
    config = make_config(environment=GAME)
    file.parent.mkdir()
    file.write_bytes(content)
    assert read_cache(file, [config]) is None
    write_cache(file, [config], [MEASURED])
    assert read_cache(file, [config]) is not None
    assert [path.name for path in file.parent.iterdir()] == [file.name]
