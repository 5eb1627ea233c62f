"""Ratings of players from their games: Bradley-Terry with the advantage of moving first."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from rlsweep.analysis.curves import Floats

ELO_PER_LOGIT = 400 / np.log(10)
"""At a difference of 400 Elo the better player scores ten points to one."""

PRIOR_SD = 2.5
"""Standard deviation of the normal prior of strengths, in logits (434 Elo). A player that won or lost every game has a
finite rating by it; against a hundred games of a pair it hardly counts."""

Z = float(special.ndtri(0.975))

_STEPS = 100
_PRECISION = 1e-9
_LONGEST_STEP = 2.0

METHOD = "Bradley-Terry, normal approximation"
"""How the intervals of ratings are made, in words."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Ratings:
    """Strengths of players in Elo, with what is not known of them.

    ratings: shape (players,); their mean is 0
    covariance: shape (players, players), Elo²: the inverse of the curvature of the log posterior
    advantage, advantage_sd: of moving first, in Elo
    """

    ratings: Floats
    covariance: Floats
    advantage: float
    advantage_sd: float

    @property
    def half_widths(self) -> Floats:
        """Half of the 95% interval of each rating."""
        return Z * np.sqrt(np.diag(self.covariance))

    @property
    def p_values(self) -> Floats:
        """Two-sided, (players, players): how likely so large a difference is between two equal players; 1 for one."""
        own = np.diag(self.covariance)
        variance = own[:, np.newaxis] + own - 2 * self.covariance
        np.fill_diagonal(variance, 1.0)
        gap = np.abs(self.ratings[:, np.newaxis] - self.ratings)
        values: Floats = 2 * special.ndtr(-gap / np.sqrt(variance))
        return values


def fit(players: int, first: NDArray[np.intp], second: NDArray[np.intp], points: Floats, games: Floats) -> Ratings:
    """Rate players by the points of whoever moved first, where a win is a point and a draw is half a point.

    P(i beats j, moving first) = 1 / (1 + exp(-(s_i - s_j + a))): Bradley and Terry (1952) with the advantage a of
    Davidson and Beaver (1977). Strengths s and advantage a maximise the likelihood times a normal prior (`PRIOR_SD`),
    by Newton's method. A draw counts as half a win and half a loss, so the intervals of games with many draws are
    rather too wide.

    players: how many; first, second: numbers of players, shape (n,)
    points: of the first player, games: how many; shape (n,)
    """
    values = np.zeros(players + 1)
    for _ in range(_STEPS):
        chance = special.expit(values[first] - values[second] + values[-1])
        step = np.linalg.solve(
            _curvature(players, first, second, games * chance * (1 - chance)),
            _slope(players, first, second, points - games * chance) - values / PRIOR_SD**2,
        )
        values += step * min(1.0, _LONGEST_STEP / max(np.abs(step).max(), _PRECISION))
        if np.abs(step).max() < _PRECISION:
            break
    chance = special.expit(values[first] - values[second] + values[-1])
    covariance = np.linalg.inv(_curvature(players, first, second, games * chance * (1 - chance)))
    centre = np.eye(players) - 1 / players
    strengths, of_strengths = values[:-1], covariance[:-1, :-1]
    return Ratings(
        ratings=ELO_PER_LOGIT * (strengths - strengths.mean()),
        covariance=ELO_PER_LOGIT**2 * (centre @ of_strengths @ centre),
        advantage=float(ELO_PER_LOGIT * values[-1]),
        advantage_sd=float(ELO_PER_LOGIT * np.sqrt(covariance[-1, -1])),
    )


def _slope(players: int, first: NDArray[np.intp], second: NDArray[np.intp], missing: Floats) -> Floats:
    """Of the log likelihood; missing: points beyond the expected ones."""
    slope = np.zeros(players + 1)
    np.add.at(slope, first, missing)
    np.add.at(slope, second, -missing)
    slope[-1] = missing.sum()
    return slope


def _curvature(players: int, first: NDArray[np.intp], second: NDArray[np.intp], weight: Floats) -> Floats:
    """Of the negative log posterior; weight: variance of the points."""
    curvature = np.eye(players + 1) / PRIOR_SD**2
    signs = ((first, 1.0), (second, -1.0), (np.full_like(first, players), 1.0))
    for rows, row_sign in signs:
        for columns, column_sign in signs:
            np.add.at(curvature, (rows, columns), row_sign * column_sign * weight)
    return curvature
