"""What the diagnosis takes of one run: the values of its updates, its reward curve, and the settings that matter."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlsweep.analysis.curves import CURVE_POINTS, Floats, Steps
from rlsweep.analysis.finite import finite_median
from rlsweep.analysis.seed_record import SeedRecord
from rlsweep.config.agent import Hyperparameters, PPOConfig
from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.in_force import in_force
from rlsweep.config.schedule import initial_value
from rlsweep.config.stepped import every_value

REFERENCE_UPDATES = 3
"""The first updates, against which later ones are set: entropy and value loss have no scale of their own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The hyperparameters that rules and sentences name.

    keys: the dotted keys that the algorithm uses
    clip_range: of a linear schedule, at the start of training
    gradient_steps: of one update that is not cut short; the fewest of a run where they change
    """

    keys: frozenset[str]
    ent_coef: float
    clip_range: float
    target_kl: float | None
    gradient_steps: int


def settings_of(config: Mapping[str, Any], update_steps: Steps) -> Settings:
    """The settings in the record of a run's config; an incomplete record has the defaults in place of what it lacks.

    update_steps: as in UpdateSeries; of values that change, those of the last update are taken
    """
    given = config.get("agent", {})
    algorithm = ALGORITHMS.get(given.get("algorithm", ""))
    keys = frozenset() if algorithm is None else algorithm.hyperparameters
    agent = Hyperparameters.model_construct(**{key: given[key] for key in Hyperparameters.model_fields if key in given})
    ppo = PPOConfig.model_construct(**given.get("ppo", {}))
    rollout = agent.n_steps * config.get("training", {}).get("n_envs", 1)
    began = int(update_steps[-1]) - rollout if update_steps.size else 0
    now = in_force(agent.model_copy(update={"ppo": ppo}), max(0, began))
    return Settings(
        keys=keys,
        ent_coef=now.ent_coef,
        clip_range=initial_value(now.clip_range),
        target_kl=now.target_kl,
        gradient_steps=_fewest_gradient_steps(agent, rollout) if "n_epochs" in keys else 1,
    )


def _fewest_gradient_steps(agent: Hyperparameters, rollout: int) -> int:
    fewest: int = min(every_value(agent.n_epochs)) * math.ceil(rollout / max(every_value(agent.batch_size)))
    return fewest


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class UpdateSeries:
    """One run.

    update_steps: (updates,) int64, env steps of the run at each update
    approx_kl, clip_fraction, entropy, explained_variance, policy_loss, value_loss: (updates,) float64, NaN where the
        algorithm has no such value, or it was not finite
    gradient_steps: (updates,) float64, as `known_steps` gives them
    reward_steps, reward: (points,) float64, training reward in at most 100 buckets of equal width in env steps
    diverged: the run was ended because a loss, a weight or a reward became NaN or infinite
    """

    settings: Settings
    update_steps: Steps
    approx_kl: Floats
    clip_fraction: Floats
    entropy: Floats
    explained_variance: Floats
    gradient_steps: Floats
    policy_loss: Floats
    value_loss: Floats
    reward_steps: Floats
    reward: Floats
    diverged: bool

    @property
    def updates(self) -> int:
        """How many updates there are."""
        return int(self.update_steps.size)


def series_of(record: SeedRecord, settings: Settings) -> UpdateSeries:
    """The same of a run whose episodes have been read."""
    reward_steps, reward = reward_curve(record.env_steps, record.reward)
    return UpdateSeries(
        settings=settings,
        update_steps=record.update_steps,
        approx_kl=record.approx_kl,
        clip_fraction=record.clip_fraction,
        entropy=record.entropy,
        explained_variance=record.explained_variance,
        gradient_steps=known_steps(record.gradient_steps, settings),
        policy_loss=record.losses[:, 0],
        value_loss=record.losses[:, 1],
        reward_steps=reward_steps,
        reward=reward,
        diverged=record.diverged,
    )


def known_steps(recorded: Floats, settings: Settings) -> Floats:
    """Gradient steps of each update, (updates,): as recorded, else all; NaN where target_kl may have made them fewer.

    recorded: (updates,), NaN where an older version recorded the update
    """
    unrecorded = float(settings.gradient_steps) if settings.target_kl is None else np.nan
    return np.where(np.isfinite(recorded), recorded, unrecorded)


def reward_curve(env_steps: Steps, reward: Floats, points: int = CURVE_POINTS) -> tuple[Floats, Floats]:
    """Env steps and mean reward of each bucket that has an episode; a bucket includes its end, not its start."""
    if env_steps.size == 0:
        return np.zeros(0), np.zeros(0)
    bucket = (env_steps * points - 1) // env_steps[-1]
    starts = np.flatnonzero(np.diff(bucket, prepend=-1))
    counts = np.diff(starts, append=env_steps.size)
    means = np.add.reduceat(reward, starts) / counts
    return env_steps[starts + counts - 1].astype(np.float64), np.asarray(means, dtype=np.float64)


def reference(values: Floats) -> float:
    """The median of the first updates; NaN where they have no value."""
    found = finite_median(values[:REFERENCE_UPDATES])
    return float("nan") if found is None else found
