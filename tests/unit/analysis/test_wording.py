import pytest

from rlsweep.analysis.wording import duration, hyperparameter, number, of_seeds, plural, signed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.4213, "0.42"),
        (187.3, "187"),
        (19456.2, "19,456"),
        (31.26, "31.3"),
        (31.0, "31"),
        (0.0126, "0.013"),
        (0.000012, "1.2e-05"),
        (0.0, "0"),
        (-0.5, "-0.50"),
        (float("nan"), "not finite"),
    ],
)
def test_number(value, text):
    assert number(value) == text


def test_signs_and_counts():
    assert (signed(0.42), signed(-0.42), signed(0.0)) == ("+0.42", "-0.42", "0")
    assert (plural(1, "seed"), plural(2048, "episode")) == ("1 seed", "2,048 episodes")
    assert (of_seeds(1, 1), of_seeds(1, 3)) == ("the only seed", "1 of 3 seeds")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (42, "42 s"),
        (59.7, "1 min"),
        (200, "3 min 20 s"),
        (5999.9, "1 h 40 min"),
        (7500, "2 h 5 min"),
        (7200, "2 h"),
        (86_400 * 2 + 3 * 3600 + 59, "2 d 3 h"),
    ],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_a_hyperparameter_that_changes_says_from_which_env_step():
    assert hyperparameter({"0": 3e-4, "40960": None, "81920": 1e-4}) == "0.0003 → None (40,960) → 0.0001 (81,920)"
    assert hyperparameter({"0": 0.5, "10": 0.25}, lambda value: f"{value:.1f}") == "0.5 → 0.2 (10)"
    assert hyperparameter({"pi": [64], "vf": [8]}) == "{'pi': [64], 'vf': [8]}"
    assert hyperparameter("linear_0.001") == "linear_0.001"
