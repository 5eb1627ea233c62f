"""What a trial will take, from one short measurement: plain arithmetic, and the warnings that follow from it."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rlsweep.analysis.update_counts import GOOD_UPDATES, TOO_FEW_UPDATES
from rlsweep.config.run import Mode, RunConfig
from rlsweep.planning.advice import named
from rlsweep.planning.plan import Plan

SKILL_FACTOR = 2.0  # how much longer or shorter than random play's episodes a learned policy's are taken to be
SHARE_UNITS = 10_000
"""Ray counts a resource in such parts of one."""

Range = tuple[float, float]
CountRange = tuple[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class GpuMemory:
    """name: of the GPU; total_bytes: it has; per_trial_bytes: one trial's process takes of it, CUDA itself included."""

    name: str
    total_bytes: int
    per_trial_bytes: int

    @property
    def fitting(self) -> int:
        """How many trials its memory holds."""
        return self.total_bytes // self.per_trial_bytes

    @property
    def share(self) -> float:
        """An even share of it for as many as fit, as --gpus-per-trial; Ray counts ten-thousandths."""
        units = SHARE_UNITS // max(self.fitting, 1)
        return (units + (SHARE_UNITS // units > self.fitting)) / SHARE_UNITS


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """What a child process found out about one environment and one network, playing random legal actions.

    episodes: finished while measuring; mean_episode_length: env steps, None where none finished
    env_seconds_per_step: of the environment alone, per env step over all parallel environments
    policy_seconds_per_step: of choosing actions, per env step likewise
    minibatch_seconds: one gradient step on one minibatch (A2C: on one rollout)
    peak_memory_bytes: of one whole trial, interpreter and libraries included
    checkpoint_bytes: of one checkpoint: weights, and the two moments that Adam keeps of each
    observation_size: numbers in one flattened observation
    fixed_episode_length: whether all episodes were equally long, so that skill will not change their length
    gpu: None where trials are computed on the CPU
    """

    episodes: int
    mean_episode_length: float | None
    env_seconds_per_step: float
    policy_seconds_per_step: float
    minibatch_seconds: float
    peak_memory_bytes: int
    checkpoint_bytes: int
    n_actions: int
    observation_size: int
    fixed_episode_length: bool = False
    gpu: GpuMemory | None = None

    def as_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Measurement":
        """Read back what `as_dict` wrote."""
        gpu = data.get("gpu")
        return cls(**data | {"gpu": None if gpu is None else GpuMemory(**gpu)})


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """What one trial will take, as (low, high).

    None where it cannot be told: the budget counts episodes, and none ended while measuring.
    nominal_env_steps: env steps if episodes stay as long as in random play
    checkpoint_bytes: of all checkpoints that it ever keeps at a time
    seconds: of collecting and learning, on one slot; starting, evaluating and saving are not in it
    gpu: as measured
    """

    env_steps: CountRange | None
    nominal_env_steps: int | None
    updates: CountRange | None
    peak_memory_bytes: int
    checkpoint_bytes: int
    seconds: Range | None
    gpu: GpuMemory | None


def estimate(config: RunConfig, measurement: Measurement) -> Estimate:
    """Estimate what a trial takes.

    A step budget ends with the rollout in which it is reached, as SB3 ends; an episode budget ends with its last
    episode, and a step budget beside it at that step, and the rollout that they fall into brings no update. The budget
    reached first counts.
    """
    lengths = _episode_lengths(config, measurement)
    sizes: dict[str, Any] = {
        "peak_memory_bytes": measurement.peak_memory_bytes,
        "checkpoint_bytes": _most_checkpoints(config) * measurement.checkpoint_bytes,
        "gpu": measurement.gpu,
    }
    if lengths is None and config.budget.total_timesteps is None:
        return Estimate(env_steps=None, nominal_env_steps=None, updates=None, seconds=None, **sizes)
    shortest, nominal, longest = lengths or (math.inf, math.inf, math.inf)
    low, high = _env_steps(config, shortest), _env_steps(config, longest)
    return Estimate(
        env_steps=(low, high),
        nominal_env_steps=_env_steps(config, nominal),
        updates=(low // config.rollout_steps, high // config.rollout_steps),
        **sizes,
        seconds=(_seconds(config, measurement, low), _seconds(config, measurement, high)),
    )


def budget_warnings(plan: Plan, estimates: Sequence[Estimate]) -> tuple[str, ...]:
    """Warn where a budget brings fewer than about ten updates, and say which would bring ten.

    `estimates` stand in the order of `plan.trials`. Trials of the same rollout share a warning.
    """
    groups: dict[int, list[int]] = defaultdict(list)
    for index, (trial, each) in enumerate(zip(plan.trials, estimates, strict=True)):
        steps = each.nominal_env_steps
        if steps is not None and steps // trial.config.rollout_steps < TOO_FEW_UPDATES:
            groups[trial.config.rollout_steps].append(index)
    warnings = []
    for indices in groups.values():
        names = list(dict.fromkeys(plan.trials[index].label for index in indices))
        about = f"{named(names)}: " if len(indices) < len(plan.trials) else ""
        warnings.append(about + _budget_warning(plan.trials[indices[0]].config, estimates[indices[0]]))
    return tuple(warnings)


def largest_on_gpu(estimates: Sequence[Estimate]) -> GpuMemory | None:
    """What the largest trial takes of a GPU; None where none is computed on one."""
    found = (each.gpu for each in estimates if each.gpu is not None)
    return max(found, key=lambda gpu: gpu.per_trial_bytes, default=None)


def gpu_warnings(estimates: Sequence[Estimate], gpus_per_trial: float) -> tuple[str, ...]:
    """Warn where more trials share a GPU than its memory holds: Ray counts shares, and looks at no memory."""
    largest = largest_on_gpu(estimates)
    sharing = math.floor(1 / gpus_per_trial + 1e-9) if gpus_per_trial else 0
    if largest is None or not 0 < largest.fitting < sharing:
        return ()
    return (
        f"--gpus-per-trial {gpus_per_trial:g} lets {sharing} trials share a GPU whose memory holds {largest.fitting}; "
        f"use {largest.share:g} or more.",
    )


def _episode_lengths(config: RunConfig, measurement: Measurement) -> tuple[float, float, float] | None:
    """Return the (shortest, nominal, longest) mean episode length to expect, in env steps."""
    limit = config.training.max_steps_per_episode or math.inf
    if measurement.mean_episode_length is None:
        return None if math.isinf(limit) else (1.0, limit, limit)
    mean = min(measurement.mean_episode_length, limit)
    if measurement.fixed_episode_length:
        return mean, mean, mean
    return max(1.0, mean / SKILL_FACTOR), mean, min(mean * SKILL_FACTOR, limit)


def _env_steps(config: RunConfig, episode_length: float) -> int:
    """Return the env steps at the end of the budget, which at least one finite bound gives."""
    by_episodes = by_steps = math.inf
    if config.budget.episodes is not None:
        by_episodes = config.budget.episodes * episode_length
    if config.budget.total_timesteps is not None:
        at_once = config.rollout_steps if config.budget.step_cap is None else config.training.n_envs
        by_steps = math.ceil(config.budget.total_timesteps / at_once) * at_once
    return round(min(by_episodes, by_steps))


def _seconds(config: RunConfig, measurement: Measurement, env_steps: int) -> float:
    collecting = env_steps * (measurement.env_seconds_per_step + measurement.policy_seconds_per_step)
    updates = env_steps // config.rollout_steps
    return collecting + updates * config.gradient_steps_per_update * measurement.minibatch_seconds


def _most_checkpoints(config: RunConfig) -> int:
    """The numbered ones, one on record before them, one that is written, and the best where there are evaluations."""
    if config.mode is Mode.SMOKE:
        return 1
    return config.training.keep_last_n_checkpoints + 2 + config.training.evaluation.enabled


def _budget_warning(config: RunConfig, of: Estimate) -> str:
    steps = of.nominal_env_steps or 0
    updates = steps // config.rollout_steps
    rollout = f"n_steps {config.agent.n_steps}"
    if config.training.n_envs > 1:
        rollout += f" × n_envs {config.training.n_envs}"
    count = {0: "no policy update", 1: "one policy update"}.get(updates, f"{updates} policy updates")
    timesteps = GOOD_UPDATES * config.rollout_steps
    by_steps = f"{timesteps:,} env steps (--total-timesteps {timesteps})"
    episodes = config.budget.episodes
    if episodes is None or (config.budget.total_timesteps is not None and steps == _env_steps(config, math.inf)):
        return f"{steps:,} env steps are {count} at {rollout}. Ten updates need {by_steps}."
    enough = _two_digits(timesteps * episodes / steps, math.ceil)
    return (
        f"{episodes:,} episodes of {config.training.environment.id} are about {_two_digits(steps, round):,} env steps: "
        f"{count} at {rollout}. Ten updates need about {enough:,} episodes (--episodes {enough}) or {by_steps}."
    )


def _two_digits(value: float, to_integer: Callable[[float], int]) -> int:
    """Round to two significant digits."""
    unit = int(10 ** max(0, math.floor(math.log10(value)) - 1))
    return to_integer(value / unit) * unit
