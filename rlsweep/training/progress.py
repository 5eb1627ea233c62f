"""A run's progress over all its attempts, and the remaining fraction of its budget."""

import time
from dataclasses import dataclass, field, replace
from typing import Any

from rlsweep.config.run import Budget
from rlsweep.runs import Counters


@dataclass(kw_only=True, slots=True)
class Progress:
    """The counters of a run; a checkpoint contains them, and a resumed run continues from them.

    episodes, env_steps, updates: done so far
    earlier_seconds: training time of earlier attempts
    best_mean_reward: mean reward of the best evaluation so far; None before the first evaluation
    """

    episodes: int = 0
    env_steps: int = 0
    updates: int = 0
    earlier_seconds: float = 0.0
    best_mean_reward: float | None = None
    _started: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Wall-clock seconds of training, without pauses between attempts."""
        return self.earlier_seconds + time.perf_counter() - self._started

    def is_spent(self, budget: Budget) -> bool:
        """Whether any limit of the budget is reached."""
        return (budget.episodes is not None and self.episodes >= budget.episodes) or (
            budget.total_timesteps is not None and self.env_steps >= budget.total_timesteps
        )

    def remaining(self, budget: Budget) -> float:
        """Remaining fraction of the budget, from 1 at the start to 0 at the end; schedules follow it.

        An episode budget is measured in episodes, a step budget in env steps as in SB3; with both, the smaller
        fraction counts. The last rollout may exceed a step budget; the fraction is then 0.
        """
        return 1.0 - self.spent(budget)

    def spent(self, budget: Budget) -> float:
        """Spent fraction of the budget, from 0 at the start to 1 at the end; with both limits, the larger one counts.

        Pauses and evaluations for the score come at such a fraction. It is 0.5 exactly after half of the steps, which
        1 - `remaining` need not be.
        """
        shares = [0.0]
        if budget.episodes is not None:
            shares.append(self.episodes / budget.episodes)
        if budget.total_timesteps is not None:
            shares.append(self.env_steps / budget.total_timesteps)
        return min(1.0, max(shares))

    @property
    def counters(self) -> Counters:
        """Episodes, updates and env steps so far."""
        return Counters(episodes=self.episodes, updates=self.updates, env_steps=self.env_steps)

    def copy(self) -> "Progress":
        """A copy of the current counters."""
        return replace(self)

    def to_record(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "episodes": self.episodes,
            "env_steps": self.env_steps,
            "updates": self.updates,
            "seconds": self.seconds,
            "best_mean_reward": self.best_mean_reward,
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Progress":
        """Read back what `to_record` wrote; time counts from now."""
        return cls(
            episodes=record["episodes"],
            env_steps=record["env_steps"],
            updates=record["updates"],
            earlier_seconds=record["seconds"],
            best_mean_reward=record["best_mean_reward"],
        )
