from typing import Any

import pytest

from rlsweep.config.overrides import override_agent, override_training, parse_overrides
from rlsweep.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("ppo.ent_coef=0.0", "ppo.ent_coef", 0.0),
        ("ent_coef=0.0", "ppo.ent_coef", 0.0),
        ("learning_rate=3e-4", "learning_rate", 3e-4),
        ("learning_rate=linear_3e-4", "learning_rate", "linear_3e-4"),
        ("net_arch=[64,64]", "network.net_arch", [64, 64]),
        ("net_arch={pi: [64], vf: []}", "network.net_arch", {"pi": [64], "vf": []}),
        ("algorithm=PPO", "algorithm", "PPO"),
        ("target_kl=", "ppo.target_kl", None),
        ("use_sde=true", "ppo.use_sde", True),
        ("weight_decay=0.1", "optimizer.weight_decay", 0.1),
        ("network.features_extractor_kwargs.highest=3", "network.features_extractor_kwargs.highest", 3),
    ],
)
def test_agent_overrides(text: str, key: str, value: Any) -> None:
    (override,) = parse_overrides([text])
    assert (override.key, override.value, override.for_agent) == (key, value, True)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("n_envs=8", "n_envs", 8),
        ("environment.opponent=mcts", "environment.opponent", "mcts"),
        ("opponent=mcts:50", "environment.opponent", "mcts:50"),
        ("environment=CartPole-v1", "environment", "CartPole-v1"),
        ("environment.kwargs.rows=6", "environment.kwargs.rows", 6),
        ("evaluation={enabled: false}", "evaluation", {"enabled": False}),
        ("evaluation.episodes=5", "evaluation.episodes", 5),
    ],
)
def test_training_overrides(text: str, key: str, value: Any) -> None:
    (override,) = parse_overrides([text])
    assert (override.key, override.value, override.for_agent) == (key, value, False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ent_coef", "--set ent_coef: write KEY=VALUE, such as --set ppo.ent_coef=0.0"),
        ("=1", "--set =1: write KEY=VALUE, such as --set ppo.ent_coef=0.0"),
        ("ent_coeff=1", "--set ent_coeff=1: unknown key; did you mean ent_coef?"),
        ("ppo.ent_coeff=1", "--set ppo.ent_coeff=1: unknown key; did you mean ppo.ent_coef?"),
        ("zzzzzz=1", "--set zzzzzz=1: unknown key"),
        ("name=x", "--set name=x: name belongs to one config file; it cannot be set for all"),
        ("episodes=9", "--set episodes=9: write max_episodes (the budget, as --episodes) or evaluation.episodes"),
        ("ent_coef=abc", "--set ppo.ent_coef: must be a number, got 'abc'"),
        ("n_envs=0", "--set n_envs: must be at least 1, got 0"),
        ("algorithm=DQN", "--set algorithm: unknown algorithm 'DQN', known are MaskablePPO, PPO, A2C; off-policy"),
        ("env=CartPole-v1", "--set env=CartPole-v1: unknown key; write environment instead"),
        ("lr=1e-3", "--set lr=1e-3: unknown key; write learning_rate instead"),
        ("num_workers=4", "--set num_workers=4: unknown key; write n_envs with vec_env: subproc"),
        ("network={net_arc: [1]}", "--set network.net_arc: unknown key; did you mean network.net_arch?"),
        ("net_arch=[64", "--set net_arch=[64: '[64' cannot be read: "),
        ("gamma=.nan", "--set gamma=.nan: must be a finite number, got nan"),
        ("gamma=\udcff", "--set gamma=\\udcff: contains an unprintable character, '\\udcff'"),
        ("a\x1b[2J=1", "--set a\\x1b[2J=1: a key is one line of at most 100 printable characters"),
        ("environment.kwargs." + "a." * 50 + "a=1", "--set environment.kwargs.a.a.a."),
    ],
)
def test_wrong_overrides(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_overrides([text])
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(said)


def test_all_wrong_overrides_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_overrides(["nonsense", "gamma=2", "n_envs=0"])
    assert len(caught.value.problems) == 3


def test_a_later_override_wins_and_the_rest_of_a_section_stays() -> None:
    overrides = parse_overrides(["gamma=0.8", "gamma=0.9", "ppo={ent_coef: 0.5}"])
    below = {"gamma": 0.1, "ppo": {"ent_coef": 0.1, "vf_coef": 0.2}}
    assert override_agent(below, overrides) == {"gamma": 0.9, "ppo": {"ent_coef": 0.5, "vf_coef": 0.2}}
    assert below == {"gamma": 0.1, "ppo": {"ent_coef": 0.1, "vf_coef": 0.2}}


def test_another_environment_replaces_all_that_belonged_to_the_first() -> None:
    below = {"environment": {"id": "open_spiel/hex", "kwargs": {"board_size": 5}, "opponent": "mcts"}}
    assert override_training(below, parse_overrides(["environment=CartPole-v1"])) == {
        "environment": {"id": "CartPole-v1"}
    }
    overrides = parse_overrides(["environment=open_spiel/hex", "environment.kwargs.board_size=7"])
    assert override_training(below, overrides) == {"environment": {"id": "open_spiel/hex", "kwargs": {"board_size": 7}}}


def test_a_mapping_below_a_section_is_one_value() -> None:
    below = {"environment": {"id": "open_spiel/hex", "kwargs": {"board_size": 5}}}
    overrides = parse_overrides(["environment.kwargs={string_rep: standard}"])
    assert override_training(below, overrides)["environment"]["kwargs"] == {"string_rep": "standard"}
    split = parse_overrides(["net_arch={pi: [8], vf: [8]}", "net_arch=[16]"])
    assert override_agent({}, split) == {"network": {"net_arch": [16]}}
