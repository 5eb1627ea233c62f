"""A sweep as a race would see it: so that risk and promise of any sweep come from the functions that races use."""

from collections.abc import Sequence
from statistics import fmean

from rlsweep.analysis.curves import HALF
from rlsweep.analysis.figures import SeedFigures
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
    objective = ranking.objective
    start = 0.0 if ranking.start is None else objective.signed(ranking.start)
    scores, in_flight, whole, spent = [], [], [], 0
    for number, (config, judged) in enumerate(zip(recorded, assessment.configs, strict=True)):
        kept = [
            (run, seed)
            for run, seed in zip(config.runs, judged.figures.seeds, strict=True)
            if run.status is not RunStatus.STOPPED
        ]
        scores.append(tuple(_scores(run, seed, assessment, start) for run, seed in kept))
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


def _scores(run: TrainingRun, seed: SeedFigures, assessment: SweepAssessment, start: float) -> SeedScores:
    if run.status is RunStatus.FAILED:
        return SeedScores(rung=start, full=start)
    ranking = assessment.ranking
    has_half = run.status is RunStatus.COMPLETED or (run.progress or 0.0) >= HALF
    half, full = seed.half_scores.get(ranking.source), seed.scores.get(ranking.source)
    return SeedScores(
        rung=ranking.objective.signed(half) if has_half and half is not None else None,
        full=ranking.objective.signed(full) if run.status is RunStatus.COMPLETED and full is not None else None,
    )
