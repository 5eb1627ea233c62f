"""A weighted line through points of unequal error, whose scatter about the line is estimated as well.

y = level + slope (x - centre) + deviation + error, as of Fay and Herriot 1979 (Journal of the American Statistical
Association 74); the variance of the deviation by the moments of Paule and Mandel 1982 (Journal of Research of
the NBS 87).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROUNDS = 25
CLOSE = 1e-3
"""Share by which the variance may still change when it counts as found."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """scatter: variance of the points' true values about the line; *_variance: of the estimates."""

    level: float
    slope: float
    centre: float
    scatter: float
    level_variance: float
    slope_variance: float

    def at(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of the true values at x, of x's shape."""
        away = x - self.centre
        variance = self.scatter + self.level_variance + away**2 * self.slope_variance
        return self.level + self.slope * away, variance


def fit_level(y: Floats, error: Floats, least: float) -> Line:
    """A horizontal line: the weighted mean. At least two points; `error` are variances; `least`: of the scatter."""
    return _fit(np.zeros_like(y), y, error, least, parameters=1)


def fit_line(x: Floats, y: Floats, error: Floats, least: float) -> Line:
    """A line that does not fall; where the best one would, or x is the same for all, a horizontal one."""
    line = _fit(x, y, error, least, parameters=2)
    return line if line.slope > 0 else fit_level(y, error, least)


def _fit(x: Floats, y: Floats, error: Floats, least: float, *, parameters: int) -> Line:
    scatter = max(float(np.var(y, ddof=1)), least)
    freedom = max(1, len(y) - parameters)
    line = _weigh(x, y, error, scatter)
    for _ in range(ROUNDS):
        residual = y - line.level - line.slope * (x - line.centre)
        excess = float((residual**2 / (scatter + error)).sum()) / freedom
        new = max(scatter * excess, least)
        if abs(new - scatter) < CLOSE * scatter:
            break
        scatter = new
        line = _weigh(x, y, error, scatter)
    return line


def _weigh(x: Floats, y: Floats, error: Floats, scatter: float) -> Line:
    """Weighted least squares with a known scatter."""
    weight = 1 / (scatter + error)
    total = float(weight.sum())
    centre = float((weight * x).sum()) / total
    away = x - centre
    width = float((weight * away**2).sum())
    has_width = width > 1e-9 * total * (1e-300 + float((x**2).max()))
    return Line(
        level=float((weight * y).sum()) / total,
        slope=float((weight * away * y).sum()) / width if has_width else 0.0,
        centre=centre,
        scatter=scatter,
        level_variance=1 / total,
        slope_variance=1 / width if has_width else 0.0,
    )
