"""A search space on record, in words."""

from typing import Any

import pytest

from rlsweep.reports.search_space import drawn_in_words, shown_space


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"uniform": [0.9, 0.999]}, "0.9 to 0.999, uniform"),
        ({"log": [1e-5, 0.01]}, "1e-05 to 0.01, log-uniform"),
        ({"integer": [4, 16], "when": "gamma > 0.9"}, "4 to 16, whole numbers"),
        ({"log_integer": [16, 4096]}, "16 to 4096, whole numbers, log-uniform"),
        ({"uniform": [0.1, 0.4], "step": 0.1}, "0.1 to 0.4 in steps of 0.1, uniform"),
        ({"choice": [[64, 64], [256, 256]]}, "one of [64, 64], [256, 256]"),
        ({"log": [1e-4, 0.1], "or": 0.0}, "0.0001 to 0.1, log-uniform, or 0.0"),
    ],
)
def test_what_is_drawn(entry: dict[str, Any], words: str) -> None:
    assert drawn_in_words(entry) == words


def test_a_space_says_where_it_is_from() -> None:
    space = {
        "source": "space.yaml", "base": "/c/ppo.yaml", "sampler": "sobol", "configs": 8, "seed": 3,
        "space": {"gamma": {"choice": [0.9, 0.99]}, "ppo.target_kl": {"choice": [0.01], "when": "n_epochs > 10"}},
        "constraints": ["batch_size <= n_steps"],
    }  # fmt: skip
    shown = shown_space(space, configs=8)
    assert shown is not None
    assert shown.text == "8 configs: the base /c/ppo.yaml, and what sobol drew from space.yaml with seed 3."
    assert [(each.key, each.when) for each in shown.keys] == [("gamma", None), ("ppo.target_kl", "n_epochs > 10")]
    assert shown.constraints == ("batch_size <= n_steps",)
    assert shown_space(None, configs=3) is None
