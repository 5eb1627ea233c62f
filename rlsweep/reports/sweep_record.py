"""A sweep as a race would see it: so that risk and promise of any sweep come from the functions that races use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Protocol
from uuid import UUID

import numpy as np

from rlsweep.analysis.curves import HALF
from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.scores import Source, common_source, scores_by_source, starting_level
from rlsweep.analysis.seed_record import SeedRecord
from rlsweep.analysis.sweeps import SweepAssessment
from rlsweep.deciding.records import DEFAULT_TOLERANCE, InFlight, RaceRecord, RaceSettings, SeedScores
from rlsweep.race_records import SEEDS_OF_GRID
from rlsweep.reports.records import ConfigRuns
from rlsweep.runs import RunStatus, TrainingRun


def as_race(recorded: Sequence[ConfigRuns], assessment: SweepAssessment) -> tuple[RaceSettings, RaceRecord]:
    """The sweep's scores as a race has them, with the default settings of a race and no cap that matters.

    Scores are those of the report, from its source. A failed run has the starting level; one that was stopped is left
    out, as a race would not continue it. Scores at half of the budget stand for those at the rung.
    """
    ranking = assessment.ranking
    return _as_race(
        recorded,
        [judged.figures.seeds for judged in assessment.configs],
        ranking.objective,
        ranking.source,
        ranking.start,
    )


def race_of_scores(
    recorded: Sequence[ConfigRuns], records: Mapping[UUID, SeedRecord], objective: Objective
) -> tuple[RaceSettings, RaceRecord]:
    """The same from what the runs recorded, without the rest of an assessment."""
    scored = [[_scored(records[run.id], objective) for run in config.runs] for config in recorded]
    counted = [
        scores.scores
        for config, all_scores in zip(recorded, scored, strict=True)
        for run, scores in zip(config.runs, all_scores, strict=True)
        if run.status not in (RunStatus.FAILED, RunStatus.PAUSED) and np.isfinite(records[run.id].reward).any()
    ]
    start = starting_level(list(records.values()), objective)
    return _as_race(recorded, scored, objective, common_source(counted), start)


class _Scored(Protocol):
    """What is taken of a run: its scores by source, at the end and after half of its budget."""

    @property
    def scores(self) -> Mapping[Source, float]: ...

    @property
    def half_scores(self) -> Mapping[Source, float]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class _RunScores:
    """See `SeedFigures`."""

    scores: Mapping[Source, float]
    half_scores: Mapping[Source, float]


def _scored(record: SeedRecord, objective: Objective) -> _RunScores:
    return _RunScores(
        scores=scores_by_source(record, objective), half_scores=scores_by_source(record, objective, until=HALF)
    )


def _as_race(
    recorded: Sequence[ConfigRuns],
    scored: Sequence[Sequence[_Scored]],
    objective: Objective,
    source: Source,
    level: float | None,
) -> tuple[RaceSettings, RaceRecord]:
    start = 0.0 if level is None else objective.signed(level)
    scores, in_flight, whole, spent = [], [], [], 0
    for number, (config, seeds) in enumerate(zip(recorded, scored, strict=True)):
        kept = [
            (run, seed) for run, seed in zip(config.runs, seeds, strict=True) if run.status is not RunStatus.STOPPED
        ]
        scores.append(tuple(_scores(run, seed, objective, source, start) for run, seed in kept))
        spent += sum(run.env_steps for run, _ in kept)
        whole += [run.env_steps for run, _ in kept if run.status is RunStatus.COMPLETED]
        in_flight += [
            InFlight(config=number, seed=place, to_end=True)
            for place, (run, _) in enumerate(kept)
            if not run.status.is_finished
        ]
    run_cost = fmean(whole) if whole else 1.0
    settings = RaceSettings(
        tolerance=DEFAULT_TOLERANCE,
        cap=spent + SEEDS_OF_GRID * run_cost * len(recorded),
        run_cost=run_cost,
        rung_cost=HALF * run_cost,
        rung=HALF,
    )
    return settings, RaceRecord(scores=tuple(scores), in_flight=tuple(in_flight), start=start, spent=spent)


def _scores(run: TrainingRun, seed: _Scored, objective: Objective, source: Source, start: float) -> SeedScores:
    if run.status is RunStatus.FAILED:
        return SeedScores(rung=start, full=start)
    has_half = run.status is RunStatus.COMPLETED or (run.progress or 0.0) >= HALF
    half, full = seed.half_scores.get(source), seed.scores.get(source)
    return SeedScores(
        rung=objective.signed(half) if has_half and half is not None else None,
        full=objective.signed(full) if run.status is RunStatus.COMPLETED and full is not None else None,
    )
