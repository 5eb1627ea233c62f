"""What a race's runs have on record, as its decisions take it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any
from uuid import UUID

from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.scores import score_of, starting_level
from rlsweep.analysis.seed_record import SeedRecord
from rlsweep.deciding.records import (
    Decision,
    InFlight,
    Move,
    RaceRecord,
    RaceSettings,
    SeedScores,
    Stop,
    Tolerance,
)
from rlsweep.race_records import SEEDS_OF_GRID, DecisionRecord, Race, Statistic
from rlsweep.reports.records import ConfigRuns, by_config, seed_records
from rlsweep.runs import RunStatus, TrainingRun
from rlsweep.store import races, training_runs
from rlsweep.store.database import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class RacedRun:
    """One run of a race, as a decision sees it.

    config: place of its config; place: its place among the config's runs
    rung, full: its scores at the rung and at the end of its budget, higher is better; None where it has none
    spent: env steps, evaluations included, until it last paused or ended
    to_end: whether it trains to the end of its budget now; None if it does not train
    has_failed: whether it failed, which may have taken any number of env steps
    """

    run_id: UUID
    config: int
    place: int
    seed: int
    rung: float | None
    full: float | None
    spent: float
    to_end: bool | None
    has_failed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RaceState:
    """All runs of a race at one time. start: the starting level; failed runs have it as their score."""

    configs: tuple[ConfigRuns, ...]
    runs: tuple[RacedRun, ...]
    start: float

    @property
    def record(self) -> RaceRecord:
        """What is decided from."""
        return _record(len(self.configs), self.runs, self.start)

    def as_json(self) -> dict[str, Any]:
        """The record of a decision, with the ids of the runs."""
        runs = [
            {
                "run_id": str(run.run_id),
                "config": run.config,
                "place": run.place,
                "seed": run.seed,
                "rung": run.rung,
                "full": run.full,
                "spent": run.spent,
                "to_end": run.to_end,
                "has_failed": run.has_failed,
            }
            for run in self.runs
        ]
        return {"configs": [config.name for config in self.configs], "start": self.start, "runs": runs}


class RaceReader:
    """Reads the state of a race again and again; scores that cannot change any more are read once."""

    def __init__(self, database: Database, race: Race) -> None:
        self._database = database
        self._race = race
        self._objective = Objective(race.objective)
        self._records: dict[UUID, SeedRecord] = {}
        latest = races.latest_decision(database, race.sweep_id)
        self._before = {} if latest is None else {run.run_id: run for run in _runs_of(latest.record)}

    def read(self) -> RaceState:
        """Read the state. Runs that were stopped one by one are left out: the race does not continue them.

        What trains now has the scores and the cost that it had when it last paused, so that a decision does not depend
        on how far a run has come. A failed run that trains again has none.
        """
        runs = training_runs.of_sweep(self._database, self._race.sweep_id)
        spent = races.costs(self._database, self._race.sweep_id)
        configs = tuple(by_config(runs))
        at_rest = [run for run in runs if run.status in (RunStatus.PAUSED, RunStatus.COMPLETED)]
        self._read_records(at_rest)
        start = self._start(at_rest)
        raced = []
        for number, config in enumerate(configs):
            kept = [run for run in config.runs if run.status is not RunStatus.STOPPED]
            raced += [self._raced(run, number, place, spent[run.id], start) for place, run in enumerate(kept)]
        self._before = {run.run_id: run for run in raced}
        return RaceState(configs=configs, runs=tuple(raced), start=start)

    def _raced(self, run: TrainingRun, config: int, place: int, spent: float, start: float) -> RacedRun:
        trains = run.status in (RunStatus.PENDING, RunStatus.RUNNING)
        before = self._before.get(run.id)
        rung, full = None, None
        if trains:
            rung, spent = (None, 0.0) if before is None or before.has_failed else (before.rung, before.spent)
        elif run.status is RunStatus.FAILED:
            rung, full = start, start
        else:
            rung = self._score(run, self._race.rung, start)
            full = self._score(run, 1.0, start) if run.status is RunStatus.COMPLETED else None
        return RacedRun(
            run_id=run.id,
            config=config,
            place=place,
            seed=run.seed,
            rung=rung,
            full=full,
            spent=spent,
            to_end=run.pause_at is None if trains else None,
            has_failed=run.status is RunStatus.FAILED,
        )

    def _score(self, run: TrainingRun, until: float, start: float) -> float:
        score = score_of(self._records[run.id], self._objective, until=until)
        return start if score is None else self._objective.signed(score)

    def _start(self, at_rest: Sequence[TrainingRun]) -> float:
        level = starting_level([self._records[run.id] for run in at_rest], self._objective)
        return 0.0 if level is None else self._objective.signed(level)

    def _read_records(self, at_rest: Sequence[TrainingRun]) -> None:
        changed = [
            run for run in at_rest if run.id not in self._records or self._records[run.id].status is not run.status
        ]
        self._records |= seed_records(self._database, changed)


def settings_of(race: Race, state: RaceState, *, is_out_of_time: bool) -> RaceSettings:
    """The settings of the next decision: costs are what runs took, or as planned while none has ended.

    is_out_of_time: the hours of this drive are over
    """
    rested = [run for run in state.runs if run.to_end is None and not run.has_failed]
    whole = [run.spent for run in rested if run.full is not None]
    waiting = [run.spent for run in rested if run.full is None and run.rung is not None]
    run_cost = _mean(whole, race.planned_run_steps)
    rung_cost = min(_mean(waiting, run_cost * race.planned_rung_steps / race.planned_run_steps), run_cost)
    configs = race.configs or 0
    grid = run_cost * SEEDS_OF_GRID * max(len(state.configs), configs)
    return RaceSettings(
        tolerance=Tolerance(value=race.tolerance, is_share=race.tolerance_is_share),
        statistic=race.statistic,
        confidence=race.confidence,
        cap=race.cap * grid,
        configs=configs,
        is_out_of_time=is_out_of_time,
        run_cost=run_cost,
        rung_cost=rung_cost,
        rung=race.rung,
    )


def inputs_of(decision: DecisionRecord) -> tuple[RaceSettings, RaceRecord, int]:
    """What a decision on record was made from: `deciding.race.decide` gives it again."""
    tolerance = Tolerance(**decision.settings["tolerance"])
    statistic = Statistic(decision.settings["statistic"])
    settings = RaceSettings(**decision.settings | {"tolerance": tolerance, "statistic": statistic})
    record = _record(len(decision.record["configs"]), _runs_of(decision.record), decision.record["start"])
    return settings, record, decision.free


def decision_of(made: DecisionRecord) -> Decision:
    """The decision on record; a worth that is infinite is null there."""
    moves = tuple(
        Move(**move | {"worth": inf if move["worth"] is None else move["worth"]}) for move in made.decision["moves"]
    )
    stop = None if made.decision["stop"] is None else Stop(made.decision["stop"])
    lists = {name: tuple(made.decision[name]) for name in ("belief_mean", "belief_sd", "contenders")}
    return Decision(**made.decision | lists | {"moves": moves, "stop": stop})


def _runs_of(record: Mapping[str, Any]) -> list[RacedRun]:
    return [RacedRun(**run | {"run_id": UUID(run["run_id"])}) for run in record["runs"]]


def _record(configs: int, runs: Sequence[RacedRun], start: float) -> RaceRecord:
    scores: list[list[SeedScores]] = [[] for _ in range(configs)]
    for run in runs:  # in the order of their places
        scores[run.config].append(SeedScores(rung=run.rung, full=run.full))
    return RaceRecord(
        scores=tuple(map(tuple, scores)),
        in_flight=tuple(
            InFlight(config=run.config, seed=run.place, to_end=run.to_end) for run in runs if run.to_end is not None
        ),
        start=start,
        spent=sum(run.spent for run in runs),
    )


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
