import sys
from types import ModuleType

import pytest

from rlsweep.config.environments import FAMILIES, environment_problems, family_of, opponent_problem
from rlsweep.config.known_environments import package_advice
from rlsweep.config.training import EnvironmentSpec


@pytest.mark.parametrize(
    ("environment_id", "target"),
    [
        ("open_spiel/connect_four", "rlsweep.envs.open_spiel:make"),
        ("open_spiel/breakthrough(rows=6,columns=6)", "rlsweep.envs.open_spiel:make"),
        ("pettingzoo/connect_four_v3", "rlsweep.envs.pettingzoo:make"),
        ("pettingzoo/classic.connect_four_v3", "rlsweep.envs.pettingzoo:make"),
        ("blokus_rl:BlokusEnv", "rlsweep.envs.custom:make"),
        ("package.module:Outer.Env", "rlsweep.envs.custom:make"),
        ("CartPole-v1", "rlsweep.envs.gymnasium:make"),
        ("ALE/Pong-v5", "rlsweep.envs.gymnasium:make"),
        ("ale_py:ALE/Pong-v5", "rlsweep.envs.gymnasium:make"),
    ],
)
def test_families(environment_id: str, target: str) -> None:
    assert family_of(environment_id).target == target


@pytest.mark.parametrize(
    "environment_id", ["", " ", "open_spiel/", "open_spiel/a b", "pettingzoo/1", ":X", "a/b/c", "a b"]
)
def test_unknown_forms(environment_id: str) -> None:
    with pytest.raises(ValueError, match="unknown environment") as caught:
        family_of(environment_id)
    assert all(family.form in str(caught.value) for family in FAMILIES)


def test_a_module_is_looked_for_without_importing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment_problems(EnvironmentSpec(id="this:Class")) == []
    assert "this" not in sys.modules
    monkeypatch.setitem(sys.modules, "without_a_spec", ModuleType("without_a_spec"))
    assert "not found; install it" in environment_problems(EnvironmentSpec(id="without_a_spec:Class"))[0][1]


@pytest.mark.parametrize(
    ("environment_id", "install", "written"),
    [
        ("ALE/Pong-v5", "ale-py", "ale_py:ALE/Pong-v5"),
        ("SpaceInvadersNoFrameskip-v4", "ale-py", "ale_py:SpaceInvadersNoFrameskip-v4"),
        ("Breakout-v0", "ale-py", "ale_py:Breakout-v0"),
        ("PongDeterministic-v4", "ale-py", "ale_py:ALE/Pong-v5"),
        ("Pong-ram-v0", "ale-py", "ale_py:ALE/Pong-v5"),
        ("MiniGrid-Empty-5x5-v0", "minigrid", "minigrid:MiniGrid-Empty-5x5-v0"),
        ("BabyAI-GoToObj-v0", "minigrid", "minigrid:BabyAI-GoToObj-v0"),
        ("HalfCheetahBulletEnv-v0", "pybullet_envs_gymnasium", "pybullet_envs_gymnasium:HalfCheetahBulletEnv-v0"),
        ("PandaReachDense-v2", "panda-gym", "panda_gym:PandaReachDense-v3"),
        ("FetchReach-v4", "gymnasium-robotics", "gymnasium_robotics:FetchReach-v4"),
        ("highway-fast-v0", "highway-env", "highway_env:highway-fast-v0"),
        ("dm_control/acrobot-swingup-v0", "'shimmy[dm-control]'", "shimmy:dm_control/acrobot-swingup-v0"),
    ],
)
def test_the_package_of_a_well_known_id(
    monkeypatch: pytest.MonkeyPatch, environment_id: str, install: str, written: str
) -> None:
    assert family_of(written).target == "rlsweep.envs.gymnasium:make"
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert f"Install it (pip install {install}), and write {written}." in str(package_advice(environment_id))
    [(_, problem)] = environment_problems(EnvironmentSpec(id=written))
    assert f"not found; install it (pip install {install}), or put its folder on PYTHONPATH" in problem
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    assert str(package_advice(environment_id)).endswith(
        f"registers it when it is imported. To import it, write {written}."
    )
    assert environment_problems(EnvironmentSpec(id=written)) == []


@pytest.mark.parametrize("environment_id", ["CartPole-v2", "MyGame-v0", "Handball-v1", "pong"])
def test_other_ids_belong_to_no_package(environment_id: str) -> None:
    assert package_advice(environment_id) is None


@pytest.mark.parametrize("opponent", ["random", "mcts", "mcts:1", "mcts:1000"])
def test_opponents(opponent: str) -> None:
    assert opponent_problem(opponent) is None


@pytest.mark.parametrize("opponent", ["", "Random", "mcts:", "mcts:0", "mcts:x", "best.pt"])
def test_unknown_opponents(opponent: str) -> None:
    assert "must be random, mcts, mcts:<simulations> or a checkpoint" in str(opponent_problem(opponent))
