"""The complete, resolved config of one training run; it suffices to train the run again."""

import json
import math
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, field_validator

from rlsweep.config.agent import AgentConfig, Count, StrictModel
from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.in_force import in_force
from rlsweep.config.training import TrainingConfig


class Mode(StrEnum):
    """How much a run is checked, logged and saved; it does not change learning.

    smoke: environment check and detailed logs on, evaluation off, one checkpoint at the end
    full: evaluations and periodic checkpoints
    """

    SMOKE = "smoke"
    FULL = "full"


class Budget(StrictModel):
    """When a run ends: at whichever limit it reaches first. At least one is set.

    With `total_timesteps` alone, a run ends with the rollout that reaches it, as in SB3. With `episodes` as well,
    `total_timesteps` is a cap: the run ends at that exact step, and an incomplete rollout gets no update.
    """

    episodes: Count | None = None
    total_timesteps: Count | None = None

    @property
    def step_cap(self) -> int | None:
        """Cap on env steps, or None. Only parallel environments that step together may exceed it."""
        return self.total_timesteps if self.episodes is not None else None


class ScoreEvaluation(StrictModel):
    """Evaluations for a run's score, in any mode, with seeds of their own.

    at: shares of the budget, ascending, each above 0 and at most 1; the run is evaluated after the first update with
        which a share is reached, for 1.0 at its end
    episodes: episodes of each evaluation
    """

    at: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(min_length=1)
    episodes: Count

    @field_validator("at")
    @classmethod
    def _check_ascending(cls, at: tuple[float, ...]) -> tuple[float, ...]:
        if list(at) != sorted(set(at)):
            raise ValueError("must be in ascending order, each share once")
        return at


class RunConfig(StrictModel):
    """The value of `training_runs.config`.

    `training` has no hyperparameters and no budget: they are resolved into `agent` and `budget`.

    schedule_budget: what schedules run over if that is not `budget`: an earlier budget of a run that was resumed with a
        larger one and keeps its schedules. They then stay at their last value
    score_evaluation: when and how the run is evaluated for its score; None if it is not
    """

    agent: AgentConfig
    training: TrainingConfig
    mode: Mode
    budget: Budget
    seed: int
    schedule_budget: Budget | None = None
    score_evaluation: ScoreEvaluation | None = None

    @property
    def scheduled_over(self) -> Budget:
        """The budget over which schedules run."""
        return self.schedule_budget or self.budget

    @property
    def evaluates(self) -> bool:
        """Whether the run is evaluated periodically while it trains."""
        return self.mode is Mode.FULL and self.training.evaluation.enabled

    @property
    def has_evaluation_environment(self) -> bool:
        """Whether the run has an environment for evaluations, of either kind."""
        return self.evaluates or self.score_evaluation is not None

    @property
    def environment_instances(self) -> int:
        """Instances of the environment that one run has at the same time, at most.

        Its parallel environments and that of its evaluations; other processes that play leave one in the run's own.
        """
        return self.training.n_envs + self.has_evaluation_environment + (self.training.backend == "rllib")

    @property
    def rollout_steps(self) -> int:
        """Env steps of one rollout, summed over all parallel environments."""
        return self.agent.n_steps * self.training.n_envs

    def gradient_steps(self, env_steps: int) -> int:
        """Optimizer steps of the update on a rollout that begins at `env_steps`; A2C takes one on the whole rollout."""
        if "n_epochs" not in ALGORITHMS[self.agent.algorithm].hyperparameters:
            return 1
        now = in_force(self.agent, env_steps)
        return now.n_epochs * math.ceil(self.rollout_steps / now.batch_size)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "RunConfig":
        """Read back what `to_record` wrote."""
        return cls.model_validate_json(json.dumps(record))

    def to_record(self) -> dict[str, Any]:
        """Return the whole config as JSON-able values."""
        # left out where there is none, so that equal runs of earlier versions have equal records
        left_out = {key for key in ("schedule_budget", "score_evaluation") if getattr(self, key) is None}
        return self.model_dump(mode="json", exclude=left_out)
