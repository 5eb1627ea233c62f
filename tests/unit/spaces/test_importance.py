"""The share of the score that a key explains, on functions whose answer is known."""

import numpy as np
import pytest

from rlsweep.spaces.importance import REPEATS, Column, shares

FREEDOM = 9.0


def numbers(seed: int, configs: int) -> Column:
    return Column(values=tuple(np.random.default_rng(seed).random(configs).tolist()), is_category=False)


def labels(seed: int, configs: int) -> Column:
    drawn = np.random.default_rng(seed).permutation(np.arange(configs) % 3)
    return Column(values=tuple(drawn.astype(float).tolist()), is_category=True)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_key_that_makes_the_score_explains_it_and_the_others_nothing(seed: int) -> None:
    configs = 32
    does, idle, label = numbers(seed, configs), numbers(seed + 10, configs), labels(seed + 20, configs)
    mean = 2 * np.array(does.values) + 0.05 * np.random.default_rng(seed).standard_normal(configs)
    found = shares([idle, does, label], mean, np.full(configs, 0.05), freedom=FREEDOM)
    assert found.shape == (REPEATS, 4)
    assert ((found >= 0) & (found <= 1)).all()
    median = np.median(found, axis=0)
    assert median[1] > 0.75
    assert max(median[0], median[2], median[3]) < 0.1
    more = (found > found[:, -1:]).mean(axis=0)
    assert more[1] == 1.0
    assert max(more[0], more[2]) < 0.9


def test_a_category_explains_what_it_makes() -> None:
    configs = 24
    label, idle = labels(4, configs), numbers(5, configs)
    mean = np.array([0.0, 1.0, 0.2])[np.array(label.values, dtype=int)]
    found = shares([label, idle], mean, np.full(configs, 0.02), freedom=FREEDOM)
    assert np.median(found[:, 0]) > 0.6
    assert np.median(found[:, 1]) < 0.1


def test_two_keys_share_what_both_make() -> None:
    configs = 48
    one, other, idle = (numbers(seed, configs) for seed in (6, 7, 8))
    mean = np.array(one.values) + np.array(other.values)
    found = np.median(shares([one, other, idle], mean, np.full(configs, 0.01), freedom=FREEDOM), axis=0)
    assert found[:2] == pytest.approx([0.42, 0.42], abs=0.17)
    assert found[2] < 0.05


def test_scores_that_are_hardly_known_spread_the_shares() -> None:
    configs = 32
    does, idle = numbers(1, configs), numbers(2, configs)
    mean = np.array(does.values)
    sure, unsure = (shares([does, idle], mean, np.full(configs, sd), freedom=FREEDOM)[:, 0] for sd in (0.01, 1.0))
    assert np.ptp(np.quantile(unsure, [0.05, 0.95])) > 2 * np.ptp(np.quantile(sure, [0.05, 0.95]))
    assert np.median(unsure) < np.median(sure)


def test_the_same_scores_give_the_same_shares_and_equal_ones_none() -> None:
    configs = 100
    columns = [numbers(1, configs), labels(2, configs)]
    mean, sd = np.array(columns[0].values), np.full(configs, 0.1)
    np.testing.assert_array_equal(shares(columns, mean, sd, freedom=3.0), shares(columns, mean, sd, freedom=3.0))
    assert not shares(columns, np.ones(configs), np.zeros(configs), freedom=3.0).any()
