"""Ratings of players: a case that can be done by hand, players that never lost, and recovery of known strengths."""

import numpy as np
import pytest

from rlsweep.analysis.bradley_terry import ELO_PER_LOGIT, Ratings, fit

BOTH_SEATS = np.array([0, 1]), np.array([1, 0])


def test_two_players_and_the_first_move_by_hand() -> None:
    """With 10,000 games a seat the prior does not count: 80% as first and 60% as second are 1.386 and -0.405 logits."""
    rated = fit(2, *BOTH_SEATS, points=np.array([8_000.0, 4_000.0]), games=np.full(2, 10_000.0))
    one, other = np.log(4), np.log(2 / 3)
    assert rated.ratings == pytest.approx(ELO_PER_LOGIT * np.array([0.25, -0.25]) * (one - other), abs=0.3)
    assert rated.advantage == pytest.approx(ELO_PER_LOGIT * (one + other) / 2, abs=0.3)
    variance = (1 / (10_000 * 0.8 * 0.2) + 1 / (10_000 * 0.6 * 0.4)) / 16  # a quarter of the difference of two logits
    assert np.diag(rated.covariance) == pytest.approx(ELO_PER_LOGIT**2 * variance * np.ones(2), rel=0.01)


def test_a_draw_is_half_a_win_and_equal_players_are_equal() -> None:
    rated = fit(2, *BOTH_SEATS, points=np.full(2, 25.0), games=np.full(2, 50.0))
    assert rated.ratings == pytest.approx([0.0, 0.0])
    assert rated.advantage == pytest.approx(0.0)
    assert rated.p_values[0, 1] == pytest.approx(1.0)


def test_who_never_lost_has_a_finite_rating_and_a_wide_interval() -> None:
    beaten = fit(2, *BOTH_SEATS, points=np.array([50.0, 0.0]), games=np.full(2, 50.0))
    close = fit(2, *BOTH_SEATS, points=np.array([30.0, 20.0]), games=np.full(2, 50.0))
    assert 300 < beaten.ratings[0] < 1_000
    assert beaten.half_widths[0] > 2 * close.half_widths[0]
    assert beaten.p_values[0, 1] < 1e-3
    assert 0.01 < close.p_values[0, 1] < 0.2


def test_known_strengths_are_recovered_and_intervals_cover_what_they_claim() -> None:
    truth = np.array([150.0, 60.0, 0.0, -40.0, -170.0])
    advantage = 50.0
    rng = np.random.default_rng(5)
    first, second = np.nonzero(~np.eye(5, dtype=bool))
    chance = 1 / (1 + np.exp(-(truth[first] - truth[second] + advantage) / ELO_PER_LOGIT))
    games = np.full(len(first), 30.0)
    fits = [fit(5, first, second, rng.binomial(30, chance).astype(float), games) for _ in range(400)]
    assert np.mean([each.ratings for each in fits], axis=0) == pytest.approx(truth, abs=6)
    assert np.mean([each.advantage for each in fits]) == pytest.approx(advantage, abs=3)
    assert covered(fits, truth) == pytest.approx(0.95, abs=0.015)
    assert np.mean([abs(each.advantage - advantage) < 1.96 * each.advantage_sd for each in fits]) == pytest.approx(
        0.95, abs=0.03
    )


def covered(fits: list[Ratings], truth: np.ndarray) -> float:
    return float(np.mean([np.abs(each.ratings - truth) < each.half_widths for each in fits]))
