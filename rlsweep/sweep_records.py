"""The records of sweeps."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from rlsweep.population_records import PopulationStanding
from rlsweep.race_records import DecisionRecord
from rlsweep.runs import Budget, RunStatus, TrainingRun
from rlsweep.scheduler_records import AshaStanding


class SweepStatus(StrEnum):
    """The status of a sweep; it is finished when none of its runs is pending or running."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def is_finished(self) -> bool:
        """Whether all runs of the sweep have ended."""
        return self not in (SweepStatus.PENDING, SweepStatus.RUNNING)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewSweep:
    """A planned sweep.

    name: unique among all sweeps
    patterns: files or globs, as the user gave them
    budget: budget of each run
    base_config: the resolved training config
    base_config_path: absolute path of its file; None without a file
    overrides: KEY=VALUE texts of the command line, in order
    confirms: id of the sweep whose choice it checks on held-out seeds; None for any other sweep
    space: the search space that its configs were drawn from, as a file has it; None where none were drawn
    """

    name: str
    patterns: tuple[str, ...]
    mode: str
    budget: Budget
    seeds: tuple[int, ...]
    base_config: dict[str, Any]
    base_config_path: str | None
    overrides: tuple[str, ...]
    git_commit: str | None
    git_dirty: bool | None
    versions: dict[str, str]
    confirms: UUID | None = None
    space: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep(NewSweep):
    """A submitted sweep.

    resources: Ray resources that its trials request, as set for its last driver; None before the first driver
    address: address of the cluster's Jobs API that it was submitted to; None if it was not submitted to a cluster
    driver: its driver's host, process id and a random suffix
    heartbeat_at: time of the driver's last heartbeat
    note, tags: what people wrote about it; note_version: number of changes of either
    """

    id: UUID
    status: SweepStatus
    resources: dict[str, Any] | None
    address: str | None
    created_at: datetime
    finished_at: datetime | None
    driver: str | None
    heartbeat_at: datetime | None
    note: str
    tags: tuple[str, ...]
    note_version: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """A sweep's progress.

    runs: the runs to show: all, or the first ones in the order of WATCHED_FIRST if there are many
    runs_by_status: number of runs in each status, shown or not; a status without runs may be missing
    decision: the newest decision of a race; None before the first, and for other sweeps
    asha: how far it has come from rung to rung; None for a sweep without ASHA
    population: how many copies its members have made; None for a sweep without a population
    """

    runs: tuple[TrainingRun, ...]
    runs_by_status: dict[RunStatus, int]
    decision: DecisionRecord | None = None
    asha: AshaStanding | None = None
    population: PopulationStanding | None = None

    @classmethod
    def of_all(cls, runs: Sequence[TrainingRun]) -> "Overview":
        """Make an overview that shows all runs."""
        return cls(runs=tuple(runs), runs_by_status=dict(Counter(run.status for run in runs)))

    @property
    def total(self) -> int:
        """Number of runs."""
        return sum(self.runs_by_status.values())

    @property
    def finished(self) -> int:
        """Number of runs that have ended."""
        return sum(count for status, count in self.runs_by_status.items() if status.is_finished)
