"""Wrappers, stacked observations and self-play in a training config."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rlsweep.config.loading import load_training
from rlsweep.config.overrides import parse_overrides
from rlsweep.config.training import EnvironmentSpec
from rlsweep.errors import ConfigError


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"wrappers": []}, "wrappers: unknown key; did you mean environment.wrappers?"),
        ({"frame_stack": 4}, "frame_stack: unknown key; did you mean environment.frame_stack?"),
        ({"env_wrapper": "a:B"}, "env_wrapper: unknown key; write environment.wrappers instead"),
        ({"environment": {"frame_stack": 0}}, "environment.frame_stack: must be at least 1, got 0"),
        ({"environment": {"wrappers": "gymnasium.wrappers:ClipReward"}},
         "environment.wrappers: must be a list, got 'gymnasium.wrappers:ClipReward'"),
        ({"environment": {"wrappers": ["gymnasium.wrappers:ClipReward", {"id": "ClipReward"}]}},
         "environment.wrappers[1].id: must be <module>:<Class>, such as gymnasium.wrappers:TimeAwareObservation, got "
         "'ClipReward'"),
        ({"environment": {"wrappers": ["no_such_module:Wrapper"]}}, "environment.wrappers[0].id: module "
         "'no_such_module' of 'no_such_module:Wrapper' not found; install it, or put its folder on PYTHONPATH"),
        ({"environment": {"wrappers": [{"kwargs": {}}]}}, "environment.wrappers[0].id: is missing"),
        ({"environment": {"wrappers": [{"id": "a:B", "kwarg": 1}]}},
         "environment.wrappers[0].kwarg: unknown key; did you mean environment.wrappers[0].kwargs?"),
        ({"environment": {"wrappers": [3]}}, "environment.wrappers[0]: must be a mapping of keys to values, got 3"),
        ({"environment": {"opponent": 3}}, "environment.opponent: must be text, got 3; put it in quotes"),
        ({"environment": {"opponent": {"self": {"pol": 3}}}},
         "environment.opponent.self.pol: unknown key; did you mean environment.opponent.self.pool?"),
        ({"environment": {"opponent": {"self": {"pool": 0}}}},
         "environment.opponent.self.pool: must be at least 1, got 0"),
        ({"environment": {"opponent": {"self": None}}},
         "environment.opponent.self: must be a mapping of keys to values, got nothing"),
        ({"environment": {"opponent": "self", "frame_stack": 2}},
         "environment.opponent: the run's own policies play the game without wrappers and "
         "frame_stack; remove them, or take another opponent"),
        ({"evaluation": {"opponent": "self"}}, "evaluation.opponent: must be random, mcts, mcts:<simulations> or a "
         "checkpoint ending in .zip, got 'self'"),
    ],
)  # fmt: skip
def test_problems(write_base: Callable[..., Path], keys: dict[str, Any], said: str) -> None:
    path = write_base(**keys)
    with pytest.raises(ConfigError) as caught:
        load_training(path, ())
    assert caught.value.problems == (f"{path}: {said}",)


def test_wrappers_are_on_record_as_they_are_read(write_base: Callable[..., Path]) -> None:
    wrappers = ["gymnasium.wrappers:ClipReward", {"id": "gymnasium.wrappers:DelayObservation", "kwargs": {"delay": 2}}]
    path = write_base(environment={"id": "CartPole-v1", "wrappers": wrappers, "frame_stack": 4})
    environment = load_training(path, ()).environment
    assert [(each.id, each.kwargs) for each in environment.wrappers] == [
        ("gymnasium.wrappers:ClipReward", {}),
        ("gymnasium.wrappers:DelayObservation", {"delay": 2}),
    ]
    assert environment.frame_stack == 4
    assert EnvironmentSpec.model_validate_json(environment.model_dump_json()) == environment
    unwrapped = load_training(path, parse_overrides(["wrappers=[]", "frame_stack=1"])).environment
    assert (unwrapped.wrappers, unwrapped.frame_stack) == ((), 1)


@pytest.mark.parametrize(
    ("opponent", "pool"),
    [("self", (1, 1)), ({"self": {}}, (8, 10)), ({"self": {"pool": 3, "every_rollouts": 2}}, (3, 2))],
)
def test_self_play_is_on_record_as_it_is_read(
    write_base: Callable[..., Path], opponent: Any, pool: tuple[int, int]
) -> None:
    path = write_base(environment={"id": "open_spiel/tic_tac_toe", "opponent": opponent})
    training = load_training(path, ())
    assert training.environment.self_play is not None
    assert (training.environment.self_play.pool, training.environment.self_play.every_rollouts) == pool
    assert EnvironmentSpec.model_validate_json(training.environment.model_dump_json()) == training.environment
    assert training.evaluation_environment == training.environment.model_copy(update={"opponent": "random"})
    changed = load_training(path, parse_overrides(["opponent=mcts:50", "evaluation.opponent=mcts"]))
    assert (changed.environment.opponent, changed.evaluation_environment.opponent) == ("mcts:50", "mcts")
