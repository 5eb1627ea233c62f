"""What the members of a population have on record, as its decisions take it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.scores import interval_score
from rlsweep.jsonable import jsonable
from rlsweep.population_records import Exploit, IntervalCheckpoint
from rlsweep.reports.records import seed_records
from rlsweep.runs import RunStatus, TrainingRun
from rlsweep.schedulers.pbt_records import Member, PbtRecord, PbtSettings, Reached, Stage
from rlsweep.store import exploits, training_runs
from rlsweep.store.database import Database

_STAGES = {
    RunStatus.PENDING: Stage.TRAINING,
    RunStatus.RUNNING: Stage.TRAINING,
    RunStatus.PAUSED: Stage.WAITING,
    RunStatus.FAILED: Stage.FAILED,
}
"""Others have ended: a run that was stopped by itself is not continued."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PopulationState:
    """A population at one time.

    runs: the members; number n of the record is the n-th run
    exploits: all copies, in the order in which they were made
    checkpoints: by run and env steps, those that members wrote at intervals
    """

    runs: tuple[TrainingRun, ...]
    record: PbtRecord
    exploits: tuple[Exploit, ...]
    checkpoints: Mapping[tuple[UUID, int], IntervalCheckpoint]

    def config_at(self, number: int, env_steps: int) -> dict[str, Any]:
        """The config with which a member trained up to these env steps, as its record has it."""
        run = self.runs[number - 1]
        later = (each for each in self.exploits if each.run_id == run.id and each.env_steps >= env_steps)
        first = min(later, key=lambda each: each.env_steps, default=None)
        return run.config if first is None else first.config_before

    def as_json(self) -> dict[str, Any]:
        """The record of a decision, with the ids of the runs."""
        return {"runs": [str(run.id) for run in self.runs], **jsonable(self.record)}


class PopulationReader:
    """Reads the state of a population again and again; the scores of intervals are read once."""

    def __init__(self, database: Database, sweep_id: UUID, objective: Objective, settings: PbtSettings) -> None:
        self._database = database
        self._sweep_id = sweep_id
        self._objective = objective
        self._settings = settings
        self._scores: dict[tuple[UUID, int], float | None] = {}

    def read(self) -> PopulationState:
        """Read the state. What a member recorded before its last pause does not change while it trains on.

        The record leaves out the intervals behind all members, about which nothing is decided any more.
        """
        runs = tuple(training_runs.of_sweep(self._database, self._sweep_id))
        copies = exploits.of_sweep(self._database, self._sweep_id)
        written = exploits.interval_checkpoints(self._database, self._sweep_id, self._settings.interval)
        checkpoints = {(each.run_id, each.env_steps): each for each in written}
        copied = {(each.run_id, each.env_steps): each for each in copies}
        came = {run.id: self._intervals_of(run, copied) for run in runs}
        self._read_scores(runs, came)
        lowest = min((self._interval_of(run) for run in runs if run.status in _STAGES), default=0)
        members = []
        for number, run in enumerate(runs, start=1):
            reached = tuple(
                Reached(
                    interval=interval,
                    score=self._scores[run.id, interval],
                    can_be_copied=(where := (run.id, interval * self._settings.interval)) in checkpoints
                    and where not in copied,
                )
                for interval in came[run.id]
                if interval >= lowest
            )
            stage = _STAGES.get(run.status, Stage.ENDED)
            members.append(Member(number=number, stage=stage, interval=self._interval_of(run), reached=reached))
        record = PbtRecord(members=tuple(members))
        return PopulationState(runs=runs, record=record, exploits=tuple(copies), checkpoints=checkpoints)

    def _interval_of(self, run: TrainingRun) -> int:
        """The interval at which the run pauses next, or is paused."""
        budget = run.budget.total_timesteps
        if run.pause_at is None or budget is None:
            return self._settings.intervals + 1
        return round(run.pause_at * budget / self._settings.interval)

    def _intervals_of(self, run: TrainingRun, copied: Mapping[tuple[UUID, int], Exploit]) -> list[int]:
        """The intervals to which the run trained: those behind it, without those at which it was failed and copied."""
        last = self._interval_of(run) - (run.status is not RunStatus.PAUSED)
        found = []
        for interval in range(1, last + 1):
            copy = copied.get((run.id, interval * self._settings.interval))
            if copy is None or not copy.had_failed:
                found.append(interval)
        return found

    def _read_scores(self, runs: tuple[TrainingRun, ...], came: Mapping[UUID, list[int]]) -> None:
        missing = {run.id: [each for each in came[run.id] if (run.id, each) not in self._scores] for run in runs}
        records = seed_records(self._database, [run for run in runs if missing[run.id]])
        for run_id, record in records.items():
            for interval in missing[run_id]:
                until = interval * self._settings.interval
                score = interval_score(record, self._objective, after=until - self._settings.interval, until=until)
                self._scores[run_id, interval] = None if score is None else self._objective.signed(score)


def record_of(data: Mapping[str, Any]) -> PbtRecord:
    """The record of a decision from its JSON: `schedulers.pbt.decide` gives the decision again."""
    return PbtRecord(
        members=tuple(
            Member(
                **member
                | {
                    "stage": Stage(member["stage"]),
                    "reached": tuple(Reached(**each) for each in member["reached"]),
                }
            )
            for member in data["members"]
        )
    )
