import numpy as np
import pytest

from rlsweep.analysis.trends import Direction, trend


def _of(*records):
    return trend([(record.env_steps, record.reward) for record in records])


def test_a_rise_and_a_fall(record):
    rising, falling = _of(record()), _of(record(lambda progress: -progress))
    assert rising is not None
    assert falling is not None
    assert (rising.direction, falling.direction) == (Direction.RISING, Direction.FALLING)
    assert rising.change == pytest.approx(0.9, abs=0.1)
    assert rising.rises >= 8


def test_noise_is_seldom_a_trend(record):
    found = [_of(record(np.zeros_like, seed=seed)) for seed in range(200)]
    assert sum(each.direction is not Direction.FLAT for each in found) <= 20


def test_constant_and_too_short_runs(record):
    constant = _of(record(np.ones_like, noise=0.0))
    assert constant is not None
    assert (constant.direction, constant.change) == (Direction.FLAT, 0.0)
    assert _of(record(episodes=9)) is None
    assert trend([]) is None
