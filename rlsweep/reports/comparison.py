"""The record of a comparison: figures and verdict of each config, findings, next steps."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.scores import Source
from rlsweep.analysis.slices import Slice
from rlsweep.metrics import Direction
from rlsweep.reports.config_report import ConfigReport
from rlsweep.reports.diagnosis import ConfigHealth
from rlsweep.reports.findings import NextStep
from rlsweep.reports.reference import Reference
from rlsweep.runs import Budget, RunStatus
from rlsweep.sweep_records import SweepStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class FailedRun:
    """A run that failed, and the last line of its error."""

    run_id: UUID
    config: str
    seed: int
    error: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoredBy:
    """What the scores of a comparison are.

    definition: in words, such as `evaluation reward, mean of the last fifth`
    starting_level: the score before learning, mean over all runs; None where none has an episode
    """

    objective: Objective
    direction: Direction
    source: Source
    definition: str
    starting_level: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A comparison of runs.

    id, name: of their sweep; None where they were chosen freely
    status: of the sweep, or what one of these runs would have
    mode, budget, environment: None where they differ
    seconds: from the submission to the end, or to the last heartbeat
    runs: how many in each status
    scored_by: what the scores are, by which the configs are ranked
    rank_words: what a rank says, and which configs have none
    reference: what the configs are set against: the base config, or else the runner-up; None without either
    winner: the one config that is significantly better than all others; None if there is none
    configs: best first, those without a score last
    slices: the axes on which the score is drawn against each hyperparameter that differs
    findings: sentences about all of them
    training_health: the configs whose updates show that something is wrong with their training
    """

    id: UUID | None
    name: str | None
    status: SweepStatus
    mode: str | None
    budget: Budget | None
    environment: str | None
    created_at: datetime | None
    finished_at: datetime | None
    seconds: float
    runs: dict[RunStatus, int]
    episodes: int
    updates: int
    env_steps: int
    scored_by: ScoredBy
    rank_words: str
    reference: Reference | None
    winner: str | None
    configs: tuple[ConfigReport, ...]
    slices: tuple[Slice, ...]
    failures: tuple[FailedRun, ...]
    findings: tuple[str, ...]
    training_health: tuple[ConfigHealth, ...]
    next_steps: tuple[NextStep, ...]
