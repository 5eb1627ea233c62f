"""The records of training runs, episodes, updates, evaluations and checkpoints."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from statistics import fmean
from typing import Any
from uuid import UUID

RECENT_EPISODES = 100
"""Window of running means, in episodes: the length of SB3's `ep_info_buffer`."""


class RunStatus(StrEnum):
    """The status of a training run."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def is_finished(self) -> bool:
        """Whether the run has ended. A paused one has: no process trains it, and none will before it is scheduled."""
        return self not in (RunStatus.PENDING, RunStatus.RUNNING)


class EndReason(StrEnum):
    """Why a training run ended; it decides the run's status.

    completed: its budget is spent
    paused: the share of its budget at which it was to pause is spent
    stopped: on request, or its process was interrupted
    abandoned: its worker's heartbeat stopped and its sweep had no driver; it counts as stopped
    lost: its worker died or could not be started, and its sweep's driver marked it as failed
    diverged: it failed with a DivergedError
    failed: it failed with another exception of its own
    """

    COMPLETED = "completed"
    PAUSED = "paused"
    STOPPED = "stopped"
    ABANDONED = "abandoned"
    LOST = "lost"
    DIVERGED = "diverged"
    FAILED = "failed"

    @property
    def status(self) -> RunStatus:
        """The status of a run with this end reason."""
        if self in (EndReason.COMPLETED, EndReason.PAUSED):
            return RunStatus(self.value)
        return RunStatus.STOPPED if self in (EndReason.STOPPED, EndReason.ABANDONED) else RunStatus.FAILED


WATCHED_FIRST = (
    RunStatus.RUNNING,
    RunStatus.FAILED,
    RunStatus.PENDING,
    RunStatus.PAUSED,
    RunStatus.STOPPED,
    RunStatus.COMPLETED,
)
"""Order in which runs are shown if there is no room for all."""


class Outcome(StrEnum):
    """How an episode ended for the agent, in environments that have winners."""

    WIN = "win"
    DRAW = "draw"
    LOSS = "loss"


@dataclass(frozen=True, kw_only=True, slots=True)
class Episode:
    """One finished episode of training.

    episode: 1, 2, … within its run, in the order in which episodes ended
    env_steps: env steps of the whole run when it ended, over all parallel environments
    reward: undiscounted sum of the environment's rewards, never normalised
    length: env steps of this episode
    outcome: win, draw or loss; None if the environment has none
    seconds: training time of the run when it ended, without pauses between attempts
    """

    episode: int
    env_steps: int
    reward: float
    length: int
    outcome: Outcome | None
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RecentMeans:
    """Running means; win_rate: wins divided by the episodes that have an outcome, None if none has."""

    mean_reward: float
    mean_length: float
    win_rate: float | None


def recent_means(episodes: Sequence[Episode]) -> RecentMeans:
    """Compute the means over `episodes`: the latest RECENT_EPISODES of a run, at least one."""
    outcomes = [episode.outcome for episode in episodes if episode.outcome is not None]
    return RecentMeans(
        mean_reward=fmean(episode.reward for episode in episodes),
        mean_length=fmean(episode.length for episode in episodes),
        win_rate=outcomes.count(Outcome.WIN) / len(outcomes) if outcomes else None,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """Diagnostics of one policy update (all epochs over one rollout), as SB3 logs them.

    update: 1, 2, … within its run
    env_steps: env steps of the run when the rollout was complete
    entropy: mean entropy of the action distribution, in nats (SB3's entropy_loss with the opposite sign)
    approx_kl, clip_fraction: None for algorithms without them (A2C)
    gradient_steps: optimizer steps of the update, fewer where target_kl ended it; None if an older version recorded it
    steps_per_second: env steps per wall-clock second since the previous update, for collecting and learning together
    """

    update: int
    env_steps: int
    policy_loss: float
    value_loss: float
    entropy: float
    approx_kl: float | None
    clip_fraction: float | None
    explained_variance: float | None
    gradient_steps: int | None
    learning_rate: float
    steps_per_second: float


class EvaluationKind(StrEnum):
    """What an evaluation is for; each kind has seeds of its own.

    periodic: to follow the training; the best of them is kept as a checkpoint
    score: to compare the run with others, after a share of its budget
    """

    PERIODIC = "periodic"
    SCORE = "score"


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """One evaluation: the deterministic policy, with action masks, in an environment with its own seeds.

    is_best: whether it was the best periodic evaluation of the run so far
    """

    env_steps: int
    episodes: int
    mean_reward: float
    reward_sd: float
    mean_length: float
    win_rate: float | None
    is_best: bool
    kind: EvaluationKind = EvaluationKind.PERIODIC


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """A saved policy. `uri` is a path or URI of an SB3 `.zip`; `bytes` is that file's size."""

    episode: int
    env_steps: int
    uri: str
    sha256: str
    bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Counters:
    """A run's progress, over all its attempts."""

    episodes: int
    updates: int
    env_steps: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """When a run ends: at whichever limit it reaches first; None is no limit. `total_timesteps` counts env steps."""

    episodes: int | None = None
    total_timesteps: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunIdentity:
    """The agent config that a run trains, and its seed.

    agent_id: id of the config's agent
    sweep_variant: name of the variant; None for a base config
    config_name: name of the config; config_short_name: agent and variant, or agent and version
    config_path: absolute path of the agent config's file; None for a config given as a dict
    config_hash: hash of its hyperparameters only
    seed: seed of environment, policy, torch and NumPy
    """

    agent_id: str
    algorithm: str
    version: int
    sweep_variant: str | None
    config_name: str
    config_short_name: str
    config_path: str | None
    config_hash: str
    seed: int

    @property
    def label(self) -> str:
        """Config and seed: the run's name in lists and charts."""
        return f"{self.config_short_name} seed {self.seed}"

    @property
    def config_folder(self) -> Path:
        """The folder of the config's file; the current folder if there is no file."""
        return Path.cwd() if self.config_path is None else Path(self.config_path).parent


@dataclass(frozen=True, kw_only=True, slots=True)
class NewRun(RunIdentity):
    """A planned training run.

    trial_key: hash of config path, overrides and seed, unique within a sweep; None for a run without a sweep
    config: the complete, resolved RunConfig
    pause_at: the share of its budget at which it pauses, between 0 and 1; None to train to its end
    """

    trial_key: str | None
    config: dict[str, Any]
    pause_at: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """The Ray actor that trains a run.

    cluster: name of its Ray session, unique among clusters
    id, node: Ray's ids of the actor and of its node, in hex
    pid: id of its process on that node
    """

    cluster: str
    id: str
    node: str
    pid: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSummary(RunIdentity):
    """A run in lists, of one trial or of one `rlsweep train`; a row of the view `run_records`.

    sweep_id, sweep_name: None for a run without a sweep
    mode: smoke or full; environment: id of the environment; None if the config has none
    attempt: 0 before the first start, then 1, 2, …; every write carries it
    heartbeat_at: time of its worker's last heartbeat
    seconds: from its start to its end, or to now by the database's clock; None before the start
    progress: spent part of its budget, 0 to 1; None without a budget
    pause_at: the share of its budget at which it pauses, between 0 and 1; None to train to its end
    rung: of a sweep with ASHA: at which it waits or to which it trains, from 1; None before it is chosen, and elsewhere
    mean_reward, mean_length, win_rate: over the last 100 episodes; None before the first episode
    steps_per_second: of the latest update; before the first update, of the whole run
    end_reason: why it ended; None while it is pending or running
    error: last line of `TrainingRun.error_text`
    note, tags: what people wrote about it; note_version: number of changes of either
    """

    id: UUID
    sweep_id: UUID | None
    sweep_name: str | None
    mode: str | None
    environment: str | None
    budget: Budget
    status: RunStatus
    stop_requested: bool
    attempt: int
    created_at: datetime
    heartbeat_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float | None = field(compare=False)
    episodes: int
    updates: int
    env_steps: int
    progress: float | None
    pause_at: float | None
    mean_reward: float | None
    win_rate: float | None
    mean_length: float | None
    steps_per_second: float | None
    end_reason: EndReason | None
    error: str | None
    note: str
    tags: tuple[str, ...]
    note_version: int
    rung: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingRun(RunSummary):
    """The whole record of one run, except its episodes, updates, evaluations and checkpoints.

    trial_key: hash of config path, overrides and seed, unique within a sweep; None for a run without a sweep
    config: the complete, resolved RunConfig
    weights_from: path or URI of the checkpoint whose policy weights it begins with; None for random weights
    begins_anew: whether its next attempt starts from the beginning instead of a checkpoint
    actor: Ray actor of its latest attempt; None if that did not use Ray
    error_text: the error of a failed run, with its traceback if there is one; only for display
    metadata: only for display: versions, git commit, host, command, engine; first_command: command of the first of
        several attempts
    """

    trial_key: str | None
    config: dict[str, Any]
    weights_from: str | None
    begins_anew: bool
    actor: Actor | None
    error_text: str | None
    metadata: dict[str, Any]
