import numpy as np
import pytest

from rlsweep.analysis.curves import (
    aligned,
    area_under_curve,
    drawdown,
    rolling_mean,
    stage_slices,
    stages,
    steps_to_share_of_gain,
)
from rlsweep.analysis.finite import finite_mean, finite_median


def test_fifths_count_env_steps_not_episodes():
    """Eight short episodes, then two long ones: the long ones fill the last fifth by themselves."""
    env_steps = np.array([1, 2, 3, 4, 5, 6, 7, 8, 54, 100])
    reward = np.array([1.0] * 8 + [10.0, 20.0])
    first, *_, last = stages(env_steps, reward)
    assert first is not None
    assert last is not None
    assert (first.mean, first.episodes) == (1.0, 8)
    assert (last.mean, last.episodes) == (20.0, 1)


def test_an_empty_fifth_is_stood_for_by_the_nearest_episode():
    first, *_ = stages(np.array([90, 95, 100]), np.array([1.0, 2.0, 3.0]))
    assert first is not None
    assert first.mean == 1.0


def test_stages_are_the_episodes_between_their_shares_without_rewards_that_are_not_finite():
    rng = np.random.default_rng(4)
    env_steps, reward = np.cumsum(rng.integers(1, 9, 500)), rng.normal(size=500)
    reward[[3, 250, 499]] = np.nan, np.inf, -np.inf
    progress = env_steps / env_steps[-1]
    found = stages(env_steps, reward)
    for start, stage in zip(np.linspace(0, 0.8, 9), found, strict=True):
        chosen = reward[(progress > start) & (progress <= start + 0.2) & np.isfinite(reward)]
        assert stage is not None
        assert (stage.mean, stage.sd) == (pytest.approx(chosen.mean()), pytest.approx(chosen.std(ddof=1)))
        assert stage.episodes == chosen.size
    assert stages(env_steps, np.full(500, np.nan)) == [None] * 9
    assert stages(env_steps[:0], reward[:0]) == [None] * 9
    assert stage_slices(env_steps, [0.0], [1.0]) == [slice(0, 500)]


@pytest.mark.parametrize("values", [[], [np.nan], [2.0, np.nan, 1.0], [4.0, 1.0, np.inf, 3.0, 2.0], [5.0]])
def test_mean_and_median_are_of_the_finite_values(values):
    finite = [value for value in values if np.isfinite(value)]
    assert finite_mean(np.array(values)) == (np.mean(finite) if finite else None)
    assert finite_median(np.array(values)) == (np.median(finite) if finite else None)


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
    fall = drawdown(stages(run.env_steps, run.reward))
    assert fall is not None
    assert fall.share == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_is_no_drawdown(record, seed):
    run = record(np.zeros_like, seed=seed, noise=1.0)
    assert drawdown(stages(run.env_steps, run.reward)) is None


def test_a_steady_rise_has_no_drawdown(record):
    run = record()
    assert drawdown(stages(run.env_steps, run.reward)) is None
