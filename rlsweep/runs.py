"""The records: what is known of sweeps, training runs, episodes, updates, evaluations and checkpoints."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from statistics import fmean
from typing import Any
from uuid import UUID

RECENT_EPISODES = 100
"""Episodes that running means look back on: the length of SB3's own `ep_info_buffer`."""


class RunStatus(StrEnum):
    """Where a training run stands."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def is_finished(self) -> bool:
        """Whether the run will write no more."""
        return self not in (RunStatus.PENDING, RunStatus.RUNNING)


class EndReason(StrEnum):
    """Why a training run ended; it decides the run's status.

    completed: its budget is spent
    stopped: on request, or its process was interrupted
    abandoned: its worker gave no more signs of life and its sweep had no driver; it counts as stopped
    lost: its worker died, or could not be started, and its sweep's driver ended it as failed
    diverged: it failed with a DivergedError
    failed: it failed with another exception of its own
    """

    COMPLETED = "completed"
    STOPPED = "stopped"
    ABANDONED = "abandoned"
    LOST = "lost"
    DIVERGED = "diverged"
    FAILED = "failed"

    @property
    def status(self) -> RunStatus:
        """The status of a run that ended so."""
        if self is EndReason.COMPLETED:
            return RunStatus.COMPLETED
        return RunStatus.STOPPED if self in (EndReason.STOPPED, EndReason.ABANDONED) else RunStatus.FAILED


WATCHED_FIRST = (
    RunStatus.RUNNING,
    RunStatus.FAILED,
    RunStatus.PENDING,
    RunStatus.STOPPED,
    RunStatus.COMPLETED,
)
"""Whose runs are shown before others where there is no room for all."""


class SweepStatus(StrEnum):
    """Where a sweep stands; it is finished when none of its runs is pending or running."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def is_finished(self) -> bool:
        """Whether no run of the sweep will write any more."""
        return self not in (SweepStatus.PENDING, SweepStatus.RUNNING)


class Outcome(StrEnum):
    """How an episode ended for the agent, in environments that know winners."""

    WIN = "win"
    DRAW = "draw"
    LOSS = "loss"


@dataclass(frozen=True, kw_only=True, slots=True)
class Episode:
    """One finished episode of training.

    episode: 1, 2, … within its run, in the order in which episodes ended
    env_steps: env steps of the whole run when it ended, over all parallel environments
    reward: undiscounted sum of rewards as the environment gave them (never normalised)
    length: env steps of this episode
    outcome: win, draw or loss; None where the environment has none
    seconds: since the run started, pauses between attempts left out
    """

    episode: int
    env_steps: int
    reward: float
    length: int
    outcome: Outcome | None
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RecentMeans:
    """Running means; win_rate: wins over the episodes that have an outcome, None where none has."""

    mean_reward: float
    mean_length: float
    win_rate: float | None


def recent_means(episodes: Sequence[Episode]) -> RecentMeans:
    """Take the means over `episodes`, the latest RECENT_EPISODES of a run and at least one."""
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
    entropy: mean entropy of the action distribution, in nats (SB3's entropy_loss, sign turned)
    approx_kl, clip_fraction: None for algorithms that have none (A2C)
    steps_per_second: env steps over wall seconds since the update before, collecting and learning both
    """

    update: int
    env_steps: int
    policy_loss: float
    value_loss: float
    entropy: float
    approx_kl: float | None
    clip_fraction: float | None
    explained_variance: float | None
    learning_rate: float
    steps_per_second: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """One evaluation: the deterministic, masked policy in an environment with seeds of its own."""

    env_steps: int
    episodes: int
    mean_reward: float
    reward_sd: float
    mean_length: float
    win_rate: float | None
    is_best: bool


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
    """How far a run has come, over all its attempts."""

    episodes: int
    updates: int
    env_steps: int


@dataclass(frozen=True, kw_only=True, slots=True)
class NewSweep:
    """A submission as it is planned.

    name: unique among all sweeps
    patterns: what the user gave, files or globs
    budget: {"episodes": N | null, "total_timesteps": N | null}
    base_config: the resolved training config
    base_config_path: absolute path of its file; None where there was none
    overrides: KEY=VALUE as given on the command line, in order
    """

    name: str
    patterns: tuple[str, ...]
    mode: str
    budget: dict[str, Any]
    seeds: tuple[int, ...]
    base_config: dict[str, Any]
    base_config_path: str | None
    overrides: tuple[str, ...]
    git_commit: str | None
    git_dirty: bool | None
    versions: dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep(NewSweep):
    """One submission.

    resources: what its trials ask of Ray, as whoever drove it last was told; None before anybody did
    address: of the Jobs API of the cluster that it was sent to; None where a machine drives it by itself
    driver: host, process id and a random suffix of what drives it; heartbeat_at is its last sign of life
    """

    id: UUID
    status: SweepStatus
    resources: dict[str, Any] | None
    address: str | None
    created_at: datetime
    finished_at: datetime | None
    driver: str | None
    heartbeat_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewRun:
    """A training run as it is planned.

    trial_key: hash of config path, overrides and seed, unique within a sweep; None for a run of no sweep
    config_path: absolute path of the agent config's file; None for one that was given as a dict
    config: the complete, resolved RunConfig; config_hash: of its hyperparameters alone
    """

    trial_key: str | None
    agent_id: str
    algorithm: str
    version: int
    sweep_variant: str | None
    config_name: str
    config_short_name: str
    config_path: str | None
    config: dict[str, Any]
    config_hash: str
    seed: int

    @property
    def label(self) -> str:
        """Config and seed, as lists and charts name the run."""
        return f"{self.config_short_name} seed {self.seed}"

    @property
    def config_folder(self) -> Path:
        """The folder that the config lies in; for one without a file the one that the user works in."""
        return Path.cwd() if self.config_path is None else Path(self.config_path).parent


def last_line(error: str | None) -> str | None:
    """The line of an error that says what it was: the last that is not empty, as in a traceback."""
    lines = [line.strip() for line in (error or "").splitlines() if line.strip()]
    return lines[-1] if lines else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """The Ray actor that trains a run.

    cluster: name of its Ray session, unique among clusters
    id, node: Ray's ids of the actor and of its node, in hex
    pid: of its process on that node
    """

    cluster: str
    id: str
    node: str
    pid: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingRun(NewRun):
    """The record of one trial, or of one `rlsweep train`.

    attempt: 0 before the first start, then 1, 2, …; every write carries it
    mean_reward, mean_length, win_rate: over the last 100 episodes; None before the first
    steps_per_second: of the latest update, or overall before the first
    end_reason: why it ended; None while it is pending or running
    error: for people: what a failed run failed of, with its traceback where there is one
    weights_from: path or URI of the checkpoint whose policy weights it begins with; None where it begins with its own
    begins_anew: whether its next attempt begins from the start
    actor: of its latest attempt; None where that was trained without Ray
    metadata: for people: versions, git commit, host, command, engine; first_command: of the first attempt, if there
        are more
    """

    id: UUID
    sweep_id: UUID | None
    status: RunStatus
    stop_requested: bool
    attempt: int
    created_at: datetime
    heartbeat_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    episodes: int
    updates: int
    env_steps: int
    mean_reward: float | None
    win_rate: float | None
    mean_length: float | None
    steps_per_second: float | None
    end_reason: EndReason | None
    error: str | None
    weights_from: str | None
    begins_anew: bool
    actor: Actor | None
    metadata: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """How far a sweep has come.

    runs: those that are shown: all of them or, of many, those that come first by WATCHED_FIRST
    runs_by_status: how many there are in each status, shown or not; a status that none has may be left out
    """

    runs: tuple[TrainingRun, ...]
    runs_by_status: dict[RunStatus, int]

    @classmethod
    def of_all(cls, runs: Sequence[TrainingRun]) -> "Overview":
        """Make one that shows every run."""
        return cls(runs=tuple(runs), runs_by_status=dict(Counter(run.status for run in runs)))

    @property
    def total(self) -> int:
        """How many runs there are."""
        return sum(self.runs_by_status.values())

    @property
    def finished(self) -> int:
        """How many of them will write no more."""
        return sum(count for status, count in self.runs_by_status.items() if status.is_finished)
