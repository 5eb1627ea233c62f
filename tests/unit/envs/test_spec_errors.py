"""Specs that cannot be made: each is answered with what is wrong, where, and the way out."""

from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from gymnasium import spaces

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs import make_env
from rlsweep.envs.flatten import Flattener
from rlsweep.errors import EnvironmentSpecError


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"id": "a b"}, r"unknown environment 'a b'; write open_spiel/<game>"),
        ({"id": "CartPol-v1"}, r"'CartPol-v1' is not a registered Gymnasium id; did you mean CartPole-v1\?"),
        (
            {"id": "LunarLander-v2"},
            r"'LunarLander-v2' is not a registered Gymnasium id; did you mean LunarLander-v3\?$",
        ),
        ({"id": "frozenlake-v0"}, r"did you mean FrozenLake-v1\?$"),
        ({"id": "json:CartPole-v7"}, r"did you mean json:CartPole-v1\?$"),
        ({"id": "MyGame-v0"}, r"If importing a module registers it, write <module>:MyGame-v0; other families are"),
        (
            {"id": "PandaReach-v2"},
            r"not a registered .* id: package panda-gym registers it.* panda_gym:PandaReach-v3\.$",
        ),
        (
            {"id": "tiny:OwnSpace"},
            r"a OfItsOwn observation has no fixed number .* exclude it with environment\.observation_keys: \[image\]\.",
        ),
        ({"id": "nothing_here:Env-v0"}, r"module 'nothing_here' cannot be imported"),
        ({"id": "CartPole-v1", "kwargs": {"foo": 1}}, r"'CartPole-v1' cannot be made with kwargs \{'foo': 1\}"),
        ({"id": "CartPole-v1", "observation_keys": ("a",)}, r"is a Box, which has no keys; remove observation_keys"),
        ({"id": "CartPole-v1", "opponent": "mcts"}, r"has one agent, so opponent 'mcts' cannot play"),
        ({"id": "nothing_here:Env"}, r"module 'nothing_here' cannot be imported .* PYTHONPATH"),
        ({"id": "tiny:LeastLots"}, r"'tiny' has no 'LeastLots'; did you mean LeastLost\?"),
        ({"id": "tiny:LeastLost", "kwargs": {"cute": 1}}, r"with kwargs \{'cute': 1\}: TypeError: .*'cute'"),
        ({"id": "tiny:LeastLost", "opponent": "mcts"}, r"opponent 'mcts' searches OpenSpiel games only"),
        (
            {"id": "tiny:LeastLost", "observation_keys": ("you",)},
            r"no observation key 'you'; .* keys are already_out, me",
        ),
        ({"id": "tiny:UnequalSeats"}, r"agents 'a' and 'b' have different spaces"),
        ({"id": "collections:Counter"}, r"returns a Counter; it must return a Gymnasium Env or a PettingZoo AEC"),
        ({"id": "blokus_rl:BlokusEnv", "kwargs": {"reward_mode": "x"}}, r"reward_mode must be one of"),
        ({"id": "open_spiel/connect_for"}, r"OpenSpiel has no game 'connect_for'; did you mean connect_four\?"),
        ({"id": "open_spiel/connect_four", "kwargs": {"row": 3}}, r"connect_four has no parameter 'row'; it has col"),
        ({"id": "open_spiel/connect_four(row=3)"}, r"connect_four has no parameter 'row'"),
        (
            {"id": "open_spiel/connect_four", "kwargs": {"rows": "x"}},
            r"with the parameters \{'rows': 'x'\}: Wrong type",
        ),
        ({"id": "open_spiel/connect_four", "kwargs": {"rows": -4}}, r"with the parameters \{'rows': -4\}"),
        ({"id": "open_spiel/connect_four", "kwargs": {"rows": 0}}, r"no actions or no observation"),
        ({"id": "open_spiel/misere"}, r"cannot be loaded with the parameters \{\}: Missing parameter game"),
        (
            {"id": "open_spiel/goofspiel"},
            r"move at the same time; write open_spiel/turn_based_simultaneous_game\(game=",
        ),
        ({"id": "open_spiel/mfg_garnet"}, r"mean field games are not supported"),
        ({"id": "open_spiel/cribbage"}, r"neither an observation tensor nor an information state tensor"),
        ({"id": "open_spiel/kuhn_poker", "opponent": "mcts"}, r"mcts would see the hidden information of kuhn_poker"),
        ({"id": "open_spiel/2048", "opponent": "mcts"}, r"has one agent"),
        ({"id": "open_spiel/connect_four", "opponent": "mtcs"}, r"opponent 'mtcs' is unknown; write random, mcts,"),
        ({"id": "open_spiel/connect_four", "opponent": "mcts:0"}, r"opponent 'mcts:0' is unknown"),
        ({"id": "open_spiel/connect_four", "opponent": "/none.zip"}, r"opponent checkpoint not found: /none\.zip"),
        ({"id": "pettingzoo/connect_four_v2"}, r"PettingZoo has no 'connect_four_v2'; did you mean connect_four_v3\?"),
        ({"id": "pettingzoo/tictactoe_v3", "kwargs": {"foo": 1}}, r"cannot be made with kwargs \{'foo': 1\}"),
    ],
)
def test_message(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(EnvironmentSpecError, match=message):
        make_env(EnvironmentSpec(**spec), seed=0)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import gymnasium\n\ndef make(:\n", r"SyntaxError: .*, line 3\)"),
        ("x = 1\ny = undefined\n", r"NameError: name 'undefined' is not defined \(.*\.py, line 2\)"),
    ],
)
@pytest.mark.parametrize("name", ["Env", "Env-v0"])
def test_module_that_fails_while_it_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, said: str, name: str
) -> None:
    (tmp_path / "broken_env.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EnvironmentSpecError, match=rf"importing module 'broken_env' fails with {said}"):
        make_env(EnvironmentSpec(id=f"broken_env:{name}"), seed=0)


def test_registered_environment_whose_module_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_entry.py").write_text("y = undefined\n")
    monkeypatch.syspath_prepend(tmp_path)
    gym.register("BrokenEntry-v0", entry_point="broken_entry:Env")
    with pytest.raises(EnvironmentSpecError, match=r"'BrokenEntry-v0' cannot be made .*NameError: name 'undefined'"):
        make_env(EnvironmentSpec(id="BrokenEntry-v0"), seed=0)


def test_game_without_a_turn_for_the_agent() -> None:
    env = make_env(EnvironmentSpec(id="tiny:NoTurn"), seed=0)
    with pytest.raises(EnvironmentSpecError, match="always ends before the agent's first turn"):
        env.reset()


@pytest.mark.parametrize("module", ["classic.tictactoe_v3", "classic/tictactoe_v3", "tictactoe_v3"])
def test_pettingzoo_module_with_or_without_its_collection(module: str) -> None:
    assert make_env(EnvironmentSpec(id=f"pettingzoo/{module}"), seed=0).action_space.n == 9  # type: ignore[attr-defined]


def test_observation_of_nothing_but_a_mask() -> None:
    with pytest.raises(EnvironmentSpecError, match="has no observation left"):
        Flattener(spaces.Dict({"action_mask": spaces.MultiBinary(2)}), None, "tiny:Blind")


def test_observation_without_a_fixed_size() -> None:
    with pytest.raises(EnvironmentSpecError, match="Sequence observation has no fixed number of values"):
        Flattener(spaces.Dict({"words": spaces.Sequence(spaces.Discrete(2))}), None, "tiny:Words")
