"""Which way a learning curve goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from rlsweep.analysis.curves import Floats, Steps, stages_between
from rlsweep.analysis.rank_tests import kendall_in_order

TENTHS = 10
"""Blocks a curve is cut into: enough for Kendall's exact test, few enough to average out single episodes."""

SIGNIFICANCE = 0.05


class Direction(StrEnum):
    """Which way, as far as the test can tell."""

    RISING = "rising"
    FALLING = "falling"
    FLAT = "not clear"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trend:
    """The course of mean reward over the tenths of the budget.

    change: the fitted straight line's rise over the whole budget, in units of reward
    rises: how many of the nine steps between tenths go up
    p_value: two-sided, Kendall's exact test that the tenths stand in no order
    """

    direction: Direction
    change: float
    rises: int
    p_value: float


def trend(curves: Sequence[tuple[Steps, Floats]]) -> Trend | None:
    """The trend of the mean over these runs; None where none has ten finite rewards.

    It speaks of these runs, tenth by tenth. Whether another seed would do the same is for the gain's interval.
    """
    rows = [_tenths(steps, reward) for steps, reward in curves if np.isfinite(reward).sum() >= TENTHS]
    complete = [row for row in rows if row is not None]
    if not complete:
        return None
    means = np.mean(complete, axis=0)
    rises = int(np.sum(np.diff(means) > 0))
    if np.ptp(means) == 0:
        return Trend(direction=Direction.FLAT, change=0.0, rises=0, p_value=1.0)
    tau, p_value = kendall_in_order(means)
    slope = float(np.polyfit(np.arange(TENTHS), means, 1)[0])
    direction = Direction.FLAT
    if p_value < SIGNIFICANCE:
        direction = Direction.RISING if tau > 0 else Direction.FALLING
    return Trend(direction=direction, change=slope * (TENTHS - 1), rises=rises, p_value=p_value)


def _tenths(env_steps: Steps, reward: Floats) -> list[float] | None:
    bounds = np.arange(TENTHS + 1) / TENTHS
    found = stages_between(env_steps, reward, bounds[:-1], bounds[1:])
    means = [each.mean for each in found if each is not None]
    return means if len(means) == TENTHS else None
