import sys
from types import ModuleType

import pytest

from rlsweep.config.environments import FAMILIES, environment_problems, family_of, opponent_problem
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


@pytest.mark.parametrize("opponent", ["random", "mcts", "mcts:1", "mcts:1000"])
def test_opponents(opponent: str) -> None:
    assert opponent_problem(opponent) is None


@pytest.mark.parametrize("opponent", ["", "Random", "mcts:", "mcts:0", "mcts:x", "best.pt"])
def test_unknown_opponents(opponent: str) -> None:
    assert "must be random, mcts, mcts:<simulations> or a checkpoint" in str(opponent_problem(opponent))
