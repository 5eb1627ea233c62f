"""Estimate a trial's env steps, updates, memory and time from one short measurement, and derive warnings."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rlsweep.analysis.update_counts import GOOD_UPDATES, TOO_FEW_UPDATES
from rlsweep.analysis.wording import plural
from rlsweep.config.in_force import change_steps, in_force
from rlsweep.config.run import Mode, RunConfig
from rlsweep.planning.advice import named
from rlsweep.planning.plan import Plan

SKILL_FACTOR = 2.0  # a trained policy's episodes are assumed to be up to this much longer or shorter than random play's
SHARE_UNITS = 10_000
"""Ray counts a resource in units of 1/10,000."""

Range = tuple[float, float]
CountRange = tuple[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class GpuMemory:
    """name: name of the GPU; total_bytes: its memory; per_trial_bytes: memory of one trial's process, with CUDA."""

    name: str
    total_bytes: int
    per_trial_bytes: int

    @property
    def fitting(self) -> int:
        """Number of trials that fit in its memory."""
        return self.total_bytes // self.per_trial_bytes

    @property
    def share(self) -> float:
        """The value of --gpus-per-trial for as many trials as fit, rounded to Ray's units."""
        units = SHARE_UNITS // max(self.fitting, 1)
        return (units + (SHARE_UNITS // units > self.fitting)) / SHARE_UNITS


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """Measurement of one environment and one network with random legal actions, made in a child process.

    episodes: episodes finished during the measurement
    mean_episode_length: in env steps; None if no episode finished
    env_seconds_per_step: seconds of the environment per env step, over all parallel environments
    policy_seconds_per_step: seconds to choose an action, per env step likewise
    minibatch_seconds: seconds of one gradient step on one minibatch (A2C: on one rollout)
    peak_memory_bytes: memory of one whole trial, including interpreter and libraries
    checkpoint_bytes: size of one checkpoint: weights, Adam's two moments, and the opponents of self-play
    observation_size: number of values of one flattened observation
    evaluation_seconds_per_step: seconds of one env step of an evaluation, to choose the action included; 0 where the
        run is not evaluated
    episode_limit: env steps after which the environment's registration truncates an episode; None if unknown
    import_seconds: seconds of a process until it has imported the libraries
    start_seconds: seconds to make the environments that train, and the network
    make_seconds: seconds to make one instance of the environment; 0 where `start_seconds` includes all that matters
    fixed_episode_length: whether all episodes had equal length, so that training will not change it
    has_outcomes: whether episodes end with a win, a draw or a loss; None if none ended
    gpu: None if trials run on the CPU
    facts: of the environment: where its action masks are, if they are used, and how its actions are numbered
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
    evaluation_seconds_per_step: float = 0.0
    episode_limit: int | None = None
    import_seconds: float = 0.0
    start_seconds: float = 0.0
    make_seconds: float = 0.0
    fixed_episode_length: bool = False
    has_outcomes: bool | None = None
    gpu: GpuMemory | None = None
    facts: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-able values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Measurement":
        """Read back what `as_dict` wrote."""
        gpu = data.get("gpu")
        return cls(**data | {"gpu": None if gpu is None else GpuMemory(**gpu)})


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """Estimate of one trial, with ranges as (low, high).

    env_steps, updates, seconds: None if unknown: the budget counts episodes, and none ended during the measurement
    evaluations: number of periodic evaluations; None if unknown
    evaluation_episodes: episodes of all evaluations, those for the score included; None if unknown
    evaluation_seconds: what they take of `seconds`; None if unknown: no episode ended during the measurement
    nominal_env_steps: env steps if episodes stay as long as in random play; episode_length: theirs, None if unknown
    checkpoint_bytes: maximum size of all checkpoints kept at the same time
    import_seconds: time of a process before its first trial, not in `seconds`: a sweep's workers import once
    start_seconds: what making environments and network takes of `seconds`
    seconds: time on one slot, with evaluations, without saves
    gpu: as measured
    """

    env_steps: CountRange | None
    nominal_env_steps: int | None
    updates: CountRange | None
    peak_memory_bytes: int
    checkpoint_bytes: int
    evaluations: CountRange | None = None
    evaluation_episodes: CountRange | None = None
    evaluation_seconds: Range | None = None
    import_seconds: float = 0.0
    start_seconds: float = 0.0
    episode_length: float | None = None
    seconds: Range | None
    gpu: GpuMemory | None


def estimate(config: RunConfig, measurement: Measurement) -> Estimate:
    """Estimate a trial.

    A step budget alone ends with the rollout that reaches it, as in SB3. An episode budget ends with its last episode;
    a step budget with it ends at that exact step. An incomplete rollout gets no update. The limit reached first counts.
    """
    lengths = _episode_lengths(config, measurement)
    sizes: dict[str, Any] = {
        "peak_memory_bytes": measurement.peak_memory_bytes,
        "checkpoint_bytes": _most_checkpoints(config) * measurement.checkpoint_bytes,
        "import_seconds": measurement.import_seconds,
        "start_seconds": measurement.start_seconds + _instances_made(config) * measurement.make_seconds,
        "gpu": measurement.gpu,
        "episode_length": None if lengths is None else lengths[1],
    }
    if lengths is None and config.budget.total_timesteps is None:
        counts: dict[str, Any] = {"env_steps": None, "nominal_env_steps": None, "updates": None}
        return Estimate(seconds=None, **counts, **sizes)
    shortest, nominal, longest = lengths or (math.inf, math.inf, math.inf)
    low, high = _env_steps(config, shortest), _env_steps(config, longest)
    updates = (low // config.rollout_steps, high // config.rollout_steps)
    evaluations = (_evaluations(config, updates[0]), _evaluations(config, updates[1]))
    played = (_evaluation_episodes(config, evaluations[0]), _evaluation_episodes(config, evaluations[1]))
    evaluating = _evaluation_seconds(config, measurement, played)
    training = (_training_seconds(config, measurement, low), _training_seconds(config, measurement, high))
    shares = zip(training, evaluating or (0.0, 0.0), strict=True)
    fastest, slowest = (sizes["start_seconds"] + sum(each) for each in shares)
    return Estimate(
        env_steps=(low, high),
        nominal_env_steps=_env_steps(config, nominal),
        updates=updates,
        evaluations=evaluations,
        evaluation_episodes=played,
        evaluation_seconds=evaluating,
        seconds=(fastest, slowest),
        **sizes,
    )


def total_seconds(estimates: Sequence[Estimate], at_once: int) -> Range | None:
    """Return the time of all trials, so many at the same time, with the imports before; None if one is unknown."""
    known = [each.seconds for each in estimates if each.seconds is not None]
    if not known or len(known) < len(estimates):
        return None
    imports = max(each.import_seconds for each in estimates)
    low, high = (max(max(bound), sum(bound) / at_once) for bound in zip(*known, strict=True))
    return imports + low, imports + high


def budget_warnings(plan: Plan, estimates: Sequence[Estimate]) -> tuple[str, ...]:
    """Return warnings for budgets with fewer than about ten updates, with a budget that is enough for ten.

    `estimates` are in the order of `plan.trials`. Trials with equal rollouts share a warning.
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


def evaluation_warnings(plan: Plan, estimates: Sequence[Estimate]) -> tuple[str, ...]:
    """Return a warning if a trial is evaluated and nothing is known of how long an episode may be."""
    if all(each.evaluation_seconds is not None or not each.evaluation_episodes for each in estimates):
        return ()
    return (
        f"No episode of {plan.base_training.environment.id} ended while it was measured, and an evaluation plays "
        f"{plural(plan.base_training.evaluation.episodes, 'episode')} to the end: its time is unknown and not in the "
        "plan. Set max_steps_per_episode to bound it.",
    )


def largest_on_gpu(estimates: Sequence[Estimate]) -> GpuMemory | None:
    """GPU memory of the largest trial; None if no trial uses a GPU."""
    found = (each.gpu for each in estimates if each.gpu is not None)
    return max(found, key=lambda gpu: gpu.per_trial_bytes, default=None)


def gpu_warnings(estimates: Sequence[Estimate], gpus_per_trial: float) -> tuple[str, ...]:
    """Return a warning if more trials share a GPU than fit in its memory; Ray does not check memory."""
    largest = largest_on_gpu(estimates)
    sharing = math.floor(1 / gpus_per_trial + 1e-9) if gpus_per_trial else 0
    if largest is None or not 0 < largest.fitting < sharing:
        return ()
    return (
        f"--gpus-per-trial {gpus_per_trial:g} puts {sharing} trials on a GPU with memory for {largest.fitting}; "
        f"use {largest.share:g} or more.",
    )


def _episode_lengths(config: RunConfig, measurement: Measurement) -> tuple[float, float, float] | None:
    """Return the expected (shortest, nominal, longest) mean episode length, in env steps."""
    limit = _longest_episode(config, measurement)
    if measurement.mean_episode_length is None:
        return None if math.isinf(limit) else (1.0, limit, limit)
    mean = min(measurement.mean_episode_length, limit)
    if measurement.fixed_episode_length:
        return mean, mean, mean
    return max(1.0, mean / SKILL_FACTOR), mean, min(mean * SKILL_FACTOR, limit)


def _env_steps(config: RunConfig, episode_length: float) -> int:
    """Return the env steps at the end of the budget; at least one of its limits is finite."""
    by_episodes = by_steps = math.inf
    if config.budget.episodes is not None:
        by_episodes = config.budget.episodes * episode_length
    if config.budget.total_timesteps is not None:
        at_once = config.rollout_steps if config.budget.step_cap is None else config.training.n_envs
        by_steps = math.ceil(config.budget.total_timesteps / at_once) * at_once
    return round(min(by_episodes, by_steps))


def _longest_episode(config: RunConfig, measurement: Measurement) -> float:
    """Return the env steps after which an episode is truncated; infinity if that is unknown."""
    limits = (config.training.max_steps_per_episode, measurement.episode_limit)
    return min((limit for limit in limits if limit is not None), default=math.inf)


def _evaluations(config: RunConfig, updates: int) -> int:
    return updates // config.training.evaluation.every_rollouts if config.evaluates else 0


def _evaluation_episodes(config: RunConfig, evaluations: int) -> int:
    """Return the episodes of so many periodic evaluations and of those for the score."""
    score = config.score_evaluation
    return evaluations * config.training.evaluation.episodes + (0 if score is None else len(score.at) * score.episodes)


def _evaluation_seconds(config: RunConfig, measurement: Measurement, episodes: CountRange) -> Range | None:
    """Return the time of all evaluations; None if there are some and nothing bounds their episodes.

    A trained policy's episodes are as long as training's at first, and at most as long as the environment allows.
    """
    if not any(episodes):
        return 0.0, 0.0
    if (lengths := _episode_lengths(config, measurement)) is None:
        return None
    shortest, _, longest = lengths
    limit = _longest_episode(config, measurement)
    if not measurement.fixed_episode_length and not math.isinf(limit):
        longest = limit
    per_step = measurement.evaluation_seconds_per_step
    return episodes[0] * shortest * per_step, episodes[1] * longest * per_step


def _instances_made(config: RunConfig) -> int:
    """Return how many instances a run makes beside those that train: one to copy, closed again, and for evaluations."""
    return 1 + config.has_evaluation_environment


def _training_seconds(config: RunConfig, measurement: Measurement, env_steps: int) -> float:
    collecting = env_steps * (measurement.env_seconds_per_step + measurement.policy_seconds_per_step)
    return collecting + measurement.minibatch_seconds * _gradient_steps(config, env_steps // config.rollout_steps)


def _gradient_steps(config: RunConfig, updates: int) -> float:
    """Gradient steps of so many updates, in those of the first minibatch's size, which was measured.

    A minibatch's time is taken to be in proportion to its samples where batch_size changes.
    """
    first, rollout = in_force(config.agent, 0).batch_size, config.rollout_steps
    begins = sorted({0, *(-(-step // rollout) for step in change_steps(config.agent))})
    total = 0.0
    for begin, end in zip(begins, [*begins[1:], updates], strict=True):
        at = begin * rollout
        size = in_force(config.agent, at).batch_size / first
        total += max(min(end, updates) - begin, 0) * config.gradient_steps(at) * size
    return total


def _most_checkpoints(config: RunConfig) -> int:
    """Maximum number of checkpoint files: numbered ones, an older recorded one, a new one, and the best one."""
    if config.mode is Mode.SMOKE:
        return 1 if config.score_evaluation is None else 2  # a run of a race has one where it paused as well
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
