"""What ASHA decides from, read from the store, and read back from the record of its decisions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.scores import scores_at
from rlsweep.analysis.seed_record import SeedRecord
from rlsweep.reports.records import seed_records
from rlsweep.runs import RunStatus
from rlsweep.scheduler_records import Scheduler, SchedulerDecision
from rlsweep.schedulers.asha import AshaDecision, AshaMove, AshaRecord, AshaRun, AshaSettings, AshaStop
from rlsweep.store import schedulers, training_runs
from rlsweep.store.database import Database
from rlsweep.store.schedulers import Standing


@dataclass(frozen=True, kw_only=True, slots=True)
class AshaState:
    """record: what a decision is made from; run_ids: of the runs in it, by config and seed."""

    record: AshaRecord
    run_ids: tuple[tuple[UUID, ...], ...]

    def changes(self, before: AshaRecord | None) -> dict[str, Any]:
        """What a decision puts on record: the configs that are not as for the decision before; all at first."""
        return {
            "configs": {
                str(place): [
                    {"run_id": str(run_id), "scores": list(run.scores), "aim": run.aim, "has_failed": run.has_failed}
                    for run_id, run in zip(self.run_ids[place], runs, strict=True)
                ]
                for place, runs in enumerate(self.record.configs)
                if before is None or before.configs[place] != runs
            }
        }


class AshaReader:
    """Reads the state of a sweep with ASHA again and again; scores at a rung cannot change, and are read once."""

    def __init__(self, database: Database, scheduler: Scheduler, before: AshaState | None) -> None:
        """before: what the newest decision was made from, whose scores stay; None before the first one."""
        self._database = database
        self._sweep_id = scheduler.sweep_id
        self._objective = Objective(scheduler.objective)
        self._rungs = AshaSettings.from_json(scheduler.settings).rungs
        self._configs = schedulers.runs_by_config(database, scheduler.sweep_id)
        self._scores: dict[UUID, tuple[float | None, ...]] = {}
        if before is not None:
            for run_ids, config in zip(before.run_ids, before.record.configs, strict=True):
                self._scores |= {run_id: run.scores for run_id, run in zip(run_ids, config, strict=True)}

    def read(self, *, with_stopped: bool = False) -> AshaState:
        """Read the state. A run that was stopped by itself is left out of decisions: ASHA does not continue it.

        A decision does not depend on how far a run that trains has come.
        """
        standings = {each.id: each for each in schedulers.standings(self._database, self._sweep_id)}
        reached = {run_id: self._reached(each) for run_id, each in standings.items()}
        self._read_scores(reached)
        kept = tuple(
            tuple(run_id for run_id in config if with_stopped or standings[run_id].status is not RunStatus.STOPPED)
            for config in self._configs
        )
        configs = tuple(tuple(self._run(standings[run_id], reached[run_id]) for run_id in config) for config in kept)
        return AshaState(record=AshaRecord(configs=configs), run_ids=kept)

    def _run(self, standing: Standing, reached: int) -> AshaRun:
        trains = standing.status in (RunStatus.PENDING, RunStatus.RUNNING) and _is_scheduled(standing)
        return AshaRun(
            scores=self._scores.get(standing.id, ())[:reached],
            aim=reached if trains else None,
            has_failed=standing.status is RunStatus.FAILED,
        )

    def _reached(self, standing: Standing) -> int:
        """How many rungs the run has reached: all below the one that it trains to, and that where it waits."""
        if standing.status is RunStatus.COMPLETED:
            return len(self._rungs)
        if not _is_scheduled(standing):
            return 0
        aim = len(self._rungs) - 1 if standing.pause_at is None else self._rungs.index(standing.pause_at)
        return aim + standing.is_there

    def _read_scores(self, reached: Mapping[UUID, int]) -> None:
        behind = [run_id for run_id, count in reached.items() if len(self._scores.get(run_id, ())) < count]
        if not behind:
            return
        for run_id, record in seed_records(self._database, training_runs.get_many(self._database, behind)).items():
            known = self._scores.get(run_id, ())
            self._scores[run_id] = known + self._scores_at(record, self._rungs[len(known) : reached[run_id]])

    def _scores_at(self, record: SeedRecord, rungs: Sequence[float]) -> tuple[float | None, ...]:
        """By the best source that the run has at each rung, as `analysis.scores` defines it."""
        found = (next(iter(each.values()), None) for each in scores_at(record, self._objective, rungs))
        return tuple(None if score is None else self._objective.signed(score) for score in found)


def _is_scheduled(standing: Standing) -> bool:
    """Whether a decision has chosen the run: it has begun, or it has a pause to train to."""
    return standing.attempt > 0 or standing.pause_at is not None


def states_of(decisions: Sequence[SchedulerDecision]) -> Iterator[AshaState]:
    """What each decision was made from, of all decisions in order: `schedulers.asha.decide` gives them again."""
    configs: dict[int, list[tuple[UUID, AshaRun]]] = {}
    for decision in decisions:
        configs |= {int(place): list(map(_run_of, runs)) for place, runs in decision.record["configs"].items()}
        ordered = [configs[place] for place in range(len(configs))]
        yield AshaState(
            record=AshaRecord(configs=tuple(tuple(run for _, run in runs) for runs in ordered)),
            run_ids=tuple(tuple(run_id for run_id, _ in runs) for runs in ordered),
        )


def decision_of(made: SchedulerDecision) -> AshaDecision:
    """The decision on record."""
    stop = None if made.decision["stop"] is None else AshaStop(made.decision["stop"])
    return AshaDecision(moves=tuple(AshaMove(**move) for move in made.decision["moves"]), stop=stop)


def _run_of(values: dict[str, Any]) -> tuple[UUID, AshaRun]:
    run = AshaRun(scores=tuple(values["scores"]), aim=values["aim"], has_failed=values["has_failed"])
    return UUID(values["run_id"]), run
