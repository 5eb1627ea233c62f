import numpy as np
import pytest

from rlsweep.analysis.curves import (
    aligned,
    area_under_curve,
    drawdown,
    first_fifth,
    last_fifth,
    rolling_mean,
    steps_to_share_of_gain,
)


def test_fifths_count_env_steps_not_episodes():
    """Eight short episodes, then two long ones: the long ones fill the last fifth by themselves."""
    env_steps = np.array([1, 2, 3, 4, 5, 6, 7, 8, 54, 100])
    reward = np.array([1.0] * 8 + [10.0, 20.0])
    first, last = first_fifth(env_steps, reward), last_fifth(env_steps, reward)
    assert first is not None
    assert last is not None
    assert (first.mean, first.episodes) == (1.0, 8)
    assert (last.mean, last.episodes) == (20.0, 1)


def test_an_empty_fifth_is_stood_for_by_the_nearest_episode():
    first = first_fifth(np.array([90, 95, 100]), np.array([1.0, 2.0, 3.0]))
    assert first is not None
    assert first.mean == 1.0


def test_rolling_mean_takes_the_episodes_that_ended_within_the_width():
    env_steps, reward = np.array([10, 20, 30, 40]), np.array([1.0, 2.0, 3.0, 4.0])
    assert rolling_mean(env_steps, reward, np.array([20.0, 40.0]), width=20).tolist() == [1.5, 3.5]


def test_rolling_mean_carries_the_last_value_over_a_gap():
    env_steps, reward = np.array([10, 100]), np.array([1.0, 5.0])
    assert rolling_mean(env_steps, reward, np.array([5.0, 60.0, 100.0]), width=10).tolist() == [1.0, 1.0, 5.0]


def test_runs_of_different_lengths_meet_on_the_grid_of_the_shortest():
    short = (np.arange(1, 101), np.ones(100))
    long = (np.arange(1, 1001), np.full(1000, 3.0))
    together = aligned([short, long, (np.zeros(0, dtype=np.int64), np.zeros(0))])
    assert together is not None
    assert together.env_steps[0] == pytest.approx(20)
    assert together.env_steps[-1] == 100
    assert together.reward.shape == (2, 100)
    assert np.allclose(together.mean, 2.0)


def test_steps_to_90_percent_and_area_of_a_straight_line():
    env_steps, curve = np.linspace(0, 1000, 101), np.linspace(0, 1, 101)
    assert steps_to_share_of_gain(env_steps, curve) == pytest.approx(900)
    assert area_under_curve(env_steps, curve) == pytest.approx(0.5)


def test_a_falling_curve_has_no_gain_to_reach():
    assert steps_to_share_of_gain(np.arange(10.0), np.linspace(1, 0, 10)) is None


def test_drawdown_of_a_collapse(record):
    run = record(lambda progress: np.where(progress < 0.5, 2 * progress, 2 - 2 * progress))
    fall = drawdown(run.env_steps, run.reward)
    assert fall is not None
    assert fall.share == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_is_no_drawdown(record, seed):
    run = record(np.zeros_like, seed=seed, noise=1.0)
    assert drawdown(run.env_steps, run.reward) is None


def test_a_steady_rise_has_no_drawdown(record):
    run = record()
    assert drawdown(run.env_steps, run.reward) is None
