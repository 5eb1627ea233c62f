"""How far a run has come, over all its attempts, and how much of its budget that is."""

import time
from dataclasses import dataclass, field, replace
from typing import Any

from rlsweep.config.run import Budget
from rlsweep.runs import Counters


@dataclass(kw_only=True, slots=True)
class Progress:
    """The counters of a run; a checkpoint carries them, and a resumed run goes on from them.

    episodes, env_steps, updates: done so far
    earlier_seconds: spent in attempts before this one
    best_mean_reward: of the best evaluation so far; None before the first
    """

    episodes: int = 0
    env_steps: int = 0
    updates: int = 0
    earlier_seconds: float = 0.0
    best_mean_reward: float | None = None
    _started: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Wall seconds of training, pauses between attempts left out."""
        return self.earlier_seconds + time.perf_counter() - self._started

    def is_spent(self, budget: Budget) -> bool:
        """Whether any part of the budget is used up."""
        return (budget.episodes is not None and self.episodes >= budget.episodes) or (
            budget.total_timesteps is not None and self.env_steps >= budget.total_timesteps
        )

    def remaining(self, budget: Budget) -> float:
        """Share of the budget that is left, from 1 at the start to 0 at the end: what schedules follow.

        Under an episode budget it counts episodes, under a step budget env steps as SB3 does; where both are
        set, the one that will end the run first. A step budget's last rollout may run past it; 0 then.
        """
        shares = [1.0]
        if budget.episodes is not None:
            shares.append(1.0 - self.episodes / budget.episodes)
        if budget.total_timesteps is not None:
            shares.append(1.0 - self.env_steps / budget.total_timesteps)
        return max(0.0, min(shares))

    @property
    def counters(self) -> Counters:
        """The run's, as its record has them."""
        return Counters(episodes=self.episodes, updates=self.updates, env_steps=self.env_steps)

    def copy(self) -> "Progress":
        """The counters as they are now."""
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
        """Read back what `to_record` wrote; the clock goes on from now."""
        return cls(
            episodes=record["episodes"],
            env_steps=record["env_steps"],
            updates=record["updates"],
            earlier_seconds=record["seconds"],
            best_mean_reward=record["best_mean_reward"],
        )
