"""The axes of slices, and which hyperparameters a slice cannot tell apart."""

import numpy as np
import pytest
from scipy import stats

from rlsweep.analysis.slices import Scale, _ranks, slices


@pytest.mark.parametrize(
    ("values", "scale", "order"),
    [
        ([1e-3, 1e-4, 3e-4, 3e-4], Scale.LINEAR, (1e-4, 3e-4, 1e-3)),
        ([1e-2, 1e-4, 3e-4, 3e-4], Scale.LOG, (1e-4, 3e-4, 1e-2)),
        ([0, 100, 1, 0], Scale.LINEAR, (0, 1, 100)),
        ([True, False, True, True], Scale.CATEGORIES, (False, True)),
        ([None, 0.02, 0.02, None], Scale.CATEGORIES, (0.02, None)),
        ([[64, 64], [128], [64, 64], "linear_3e-4"], Scale.CATEGORIES, ("linear_3e-4", [128], [64, 64])),
    ],
)
def test_the_axis_suits_the_values(values, scale, order):
    (found,) = slices({"key": values, "constant": [1, 1, 1, 1]})
    assert (found.key, found.scale, found.values, found.inseparable) == ("key", scale, order, ())


def test_a_value_that_changes_stands_at_its_end():
    (found,) = slices({"lr": [1e-4, {"0": 1e-3, "100": 2e-4}, 5e-4], "same_end": [1.0, {"0": 2.0, "5": 1.0}, 1.0]})
    assert (found.key, found.values, found.scale, found.changes) == ("lr", (1e-4, 2e-4, 5e-4), Scale.LINEAR, True)
    assert not slices({"lr": [1, 2]})[0].changes


RANDOM = np.random.default_rng(3)
DRAWN = {key: RANDOM.uniform(size=16).tolist() for key in ("lr", "gamma", "clip")}


@pytest.mark.parametrize(
    ("levels", "inseparable"),
    [
        # one at a time around a base config: each key has a step of its own
        ({"lr": [1, 2, 3, 1, 1], "gamma": [0.9, 0.9, 0.9, 0.8, 0.99]}, {}),
        # both change in every config
        ({"lr": [1, 2, 3, 4], "n_steps": [64, 32, 16, 8]}, {"lr": ("n_steps",), "n_steps": ("lr",)}),
        # the batch never changes without the learning rate, which also changes alone
        ({"lr": [1, 2, 3, 4, 4], "batch": [32, 32, 64, 64, 64]}, {"batch": ("lr",)}),
        ({"lr": [1.0, 2.0, 3.0, 4.0], "arch": ["a", "a", "b", "b"]}, {"arch": ("lr",)}),
        ({"lr": [1.0, 2.0, 3.0, 4.0], "arch": ["a", "b", "a", "b"]}, {}),
        ({"arch": ["a", "b", "c"], "name": ["x", "y", "z"]}, {"arch": ("name",), "name": ("arch",)}),
        # a random search gives every config its own values, and still tells them apart
        (DRAWN, {}),
    ],
)  # fmt: skip
def test_keys_that_change_together_are_named(levels, inseparable):
    assert {found.key: found.inseparable for found in slices(levels) if found.inseparable} == inseparable


@pytest.mark.parametrize("digits", [0, 3])
def test_the_correlation_of_ranks_is_that_of_scipy(digits: int) -> None:
    ours, theirs = np.random.default_rng(0).normal(0, 2, (2, 30)).round(digits)
    found = np.corrcoef(_ranks(ours.tolist()), _ranks(theirs.tolist()))[0, 1]
    assert found == pytest.approx(stats.spearmanr(ours, theirs).statistic, abs=1e-12)
