"""The complete, resolved config of one training run: all that is needed to train it again."""

import json
import math
from enum import StrEnum
from typing import Any

from rlsweep.config.agent import AgentConfig, Count, StrictModel
from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.training import TrainingConfig


class Mode(StrEnum):
    """How a run is watched; never what it learns with.

    smoke: sanity checks and detailed logs on, evaluation off, a checkpoint at the end only
    full: the real thing
    """

    SMOKE = "smoke"
    FULL = "full"


class Budget(StrictModel):
    """When a run is done: at whichever comes first. At least one is set.

    Env steps alone end with the rollout in which they are reached, as in SB3. Beside episodes they are a cap, which
    ends the run at that very step, and in midst of a rollout without an update.
    """

    episodes: Count | None = None
    total_timesteps: Count | None = None

    @property
    def step_cap(self) -> int | None:
        """Env steps that the run never exceeds but by parallel environments stepping together; None without a cap."""
        return self.total_timesteps if self.episodes is not None else None


class RunConfig(StrictModel):
    """What `training_runs.config` holds.

    `training` keeps no hyperparameters and no budget of its own: they are resolved into `agent` and `budget`.
    """

    agent: AgentConfig
    training: TrainingConfig
    mode: Mode
    budget: Budget
    seed: int

    @property
    def rollout_steps(self) -> int:
        """Env steps between two policy updates, over all parallel environments."""
        return self.agent.n_steps * self.training.n_envs

    @property
    def gradient_steps_per_update(self) -> int:
        """Optimizer steps of one update; A2C takes one, on the whole rollout."""
        if "n_epochs" not in ALGORITHMS[self.agent.algorithm].hyperparameters:
            return 1
        return self.agent.n_epochs * math.ceil(self.rollout_steps / self.agent.batch_size)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "RunConfig":
        """Read back what `to_record` wrote."""
        return cls.model_validate_json(json.dumps(record))

    def to_record(self) -> dict[str, Any]:
        """As JSON-able values, complete."""
        return self.model_dump(mode="json")
