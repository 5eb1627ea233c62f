"""What a value can be, where that is known: intervals end there."""

import math
from collections.abc import Iterable

from rlsweep.analysis.curves import Floats
from rlsweep.analysis.objectives import Objective

Bounds = tuple[float, float]
"""The least and the greatest possible value; infinite where it is not known."""

ANY: Bounds = (-math.inf, math.inf)
SHARE: Bounds = (0.0, 1.0)
LENGTH: Bounds = (0.0, math.inf)
WIN_OR_LOSE: Bounds = (-1.0, 1.0)


def wins_or_loses(reward: Floats) -> bool:
    """Whether there are rewards, and each is -1, 0 or 1: an episode is lost, drawn or won, and no more is told."""
    return bool(reward.size) and bool(((reward == -1) | (reward == 0) | (reward == 1)).all())


def bounds_of(objective: Objective, runs_win_or_lose: Iterable[bool]) -> Bounds:
    """Of a score, given whether each of the runs wins or loses."""
    if objective is Objective.WIN_RATE:
        return SHARE
    if objective is Objective.EPISODE_LENGTH:
        return LENGTH
    told = list(runs_win_or_lose)
    return WIN_OR_LOSE if told and all(told) else ANY
