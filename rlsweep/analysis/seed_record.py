"""What the analysis takes of one run."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlsweep.analysis.curves import Floats, Steps
from rlsweep.runs import Budget, RunStatus


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SeedRecord:
    """What was recorded of one run, as far as it is judged.

    has_begun: whether any attempt of the run was begun
    diverged: the run was ended because a loss or a reward became NaN or infinite
    trained_steps: env steps of the run so far, those of an unfinished episode too
    env_steps, length: (episodes,) int64, reward: (episodes,) float64
    won: (episodes,) float64, 1 for a win, 0 for a draw or a loss, NaN where the environment knows no winner
    update_steps: (updates,) int64, env steps of the run at each update
    approx_kl, clip_fraction, entropy, explained_variance: (updates,) float64, NaN where there is none
    gradient_steps: (updates,) float64, optimizer steps of each update, NaN where an older version recorded it
    losses: (updates, 2) float64, policy and value loss
    evaluation_steps: (evaluations,) int64, env steps of the run at each evaluation of the deterministic policy
    evaluation_reward, evaluation_length, evaluation_win_rate: (evaluations,) float64, means over its episodes
    evaluation_is_score: (evaluations,) bool, whether it was made for the score
    rung: at which it waits or to which it trains, from 1; None where runs have none, or it was not chosen yet
    """

    seed: int
    status: RunStatus
    has_begun: bool
    diverged: bool
    budget: Budget
    trained_steps: int
    env_steps: Steps
    reward: Floats
    length: Steps
    won: Floats
    update_steps: Steps
    approx_kl: Floats
    clip_fraction: Floats
    entropy: Floats
    explained_variance: Floats
    gradient_steps: Floats
    losses: Floats
    evaluation_steps: Steps
    evaluation_reward: Floats
    evaluation_length: Floats
    evaluation_win_rate: Floats
    evaluation_is_score: NDArray[np.bool_]
    rung: int | None = None
