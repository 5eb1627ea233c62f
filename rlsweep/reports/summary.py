"""The report of a sweep: figures and verdict of each config, findings, next steps."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from rlsweep.analysis.figures import SeedFigures
from rlsweep.analysis.intervals import Estimate, estimate
from rlsweep.analysis.ranking import Ranking
from rlsweep.analysis.scores import Objective, Source
from rlsweep.analysis.signs import Sign
from rlsweep.analysis.sweeps import ConfigAssessment, SweepAssessment, assess
from rlsweep.analysis.trends import Trend
from rlsweep.analysis.verdicts import Verdict
from rlsweep.jsonable import jsonable
from rlsweep.metrics import Direction
from rlsweep.reports.findings import NextStep, findings, next_steps
from rlsweep.reports.records import ConfigRuns, by_config, config_records
from rlsweep.runs import Budget, RunStatus, TrainingRun
from rlsweep.store import sweeps, training_runs
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep, SweepStatus

NO_ERROR = "no error was recorded"


@dataclass(frozen=True, kw_only=True, slots=True)
class SeedReport:
    """One run.

    score: see `Comparison.scored_by`; None where there is none
    score_win_rate: share of wins in the episodes that the score is taken from; None without outcomes
    first_reward, last_reward: training reward, mean over the first and last fifth of its env steps
    win_rate: over all episodes of training
    """

    run_id: UUID
    seed: int
    status: RunStatus
    episodes: int
    updates: int
    env_steps: int
    score: float | None
    score_win_rate: float | None
    first_reward: float | None
    last_reward: float | None
    win_rate: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigReport:
    """One agent config over all its seeds.

    path: of the agent config's file; None for one that was given as a dict
    differences: the hyperparameters in which the sweep's configs differ, by dotted key
    rank: 1 + the number of configs in better groups; tied_with: the others that do not differ significantly
    score: what it is ranked by (see `Comparison.scored_by`), mean over seeds; score_estimate: with its interval
    score_win_rate: share of wins in the episodes that the score is taken from; None without outcomes
    minimum: the worst seed's score
    episodes, env_steps: over all seeds
    updates: the fewest of a seed that enters the means; of any seed where none does, as when all failed
    first, last, gain: training reward, mean of the first and last fifth, and their difference
    win_rate: share of wins over all episodes of training; None without outcomes
    episode_sd: scatter of single episodes in the last fifth
    steps_to_90: env steps until 90% of the final gain was reached; None without a gain
    is_dead: it never left the starting level, or only by what is too small to matter
    area: area under the smoothed curve over its env steps, in units of reward
    """

    name: str
    path: str | None
    is_base: bool
    differences: dict[str, Any]
    rank: int | None
    tied_with: tuple[str, ...]
    score: float | None
    score_estimate: Estimate | None
    score_win_rate: Estimate | None
    minimum: float | None
    verdict: Verdict
    signs: tuple[Sign, ...]
    seeds: tuple[SeedReport, ...]
    episodes: int
    updates: int
    env_steps: int
    first: Estimate | None
    last: Estimate | None
    gain: Estimate | None
    win_rate: Estimate | None
    episode_sd: float | None
    trend: Trend | None
    steps_to_90: float | None
    is_dead: bool
    area: float | None


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
    winner: the one config that is significantly better than all others; None if there is none
    configs: best first, those without a score last
    findings: sentences about all of them
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
    winner: str | None
    configs: tuple[ConfigReport, ...]
    failures: tuple[FailedRun, ...]
    findings: tuple[str, ...]
    next_steps: tuple[NextStep, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepReport(Comparison):
    """The report of a sweep."""

    id: UUID
    name: str
    mode: str
    budget: Budget
    environment: str
    created_at: datetime


def summarise(database: Database, sweep: Sweep, objective: Objective = Objective.EVALUATION_REWARD) -> SweepReport:
    """Read a sweep and judge it; one that still runs is judged by what it has recorded so far."""
    runs = training_runs.of_sweep(database, sweep.id)
    return SweepReport(
        id=sweep.id,
        name=sweep.name,
        status=sweep.status,
        mode=sweep.mode,
        budget=sweep.budget,
        environment=str(sweep.base_config["environment"]["id"]),
        created_at=sweep.created_at,
        finished_at=sweep.finished_at,
        seconds=_seconds(sweep.created_at, sweep.finished_at, [sweep.heartbeat_at], runs),
        **_judged(database, runs, sweep, objective),
    )


def compare(database: Database, runs: Sequence[TrainingRun]) -> Comparison:
    """Judge any runs as if they were a sweep."""
    finished = bool(runs) and all(run.status.is_finished for run in runs)
    created_at = min((run.created_at for run in runs), default=None)
    ended = [run.ended_at for run in runs if run.ended_at is not None]
    finished_at = max(ended, default=None) if finished else None
    return Comparison(
        id=None,
        name=None,
        status=_status_of(runs),
        mode=_common([run.mode for run in runs]),
        budget=_common([run.budget for run in runs]),
        environment=_common([run.environment for run in runs]),
        created_at=created_at,
        finished_at=finished_at,
        seconds=0.0 if created_at is None else _seconds(created_at, finished_at, [], runs),
        **_judged(database, runs, None, Objective.EVALUATION_REWARD),
    )


def _judged(
    database: Database, runs: Sequence[TrainingRun], sweep: Sweep | None, objective: Objective
) -> dict[str, Any]:
    """What a report says of its runs, whether they are a sweep or not."""
    recorded = by_config(runs)
    assessment = assess(config_records(database, recorded), objective)

    def sweep_of(run: TrainingRun) -> Sweep | None:
        return sweep if sweep is not None or run.sweep_id is None else sweeps.get(database, str(run.sweep_id))

    configs = _config_reports(recorded, assessment)
    winner = assessment.ranking.winner
    seeds = [seed for config in configs for seed in config.seeds]
    return {
        "runs": dict(Counter(run.status for run in runs)),
        "episodes": sum(seed.episodes for seed in seeds),
        "updates": sum(seed.updates for seed in seeds),
        "env_steps": sum(seed.env_steps for seed in seeds),
        "scored_by": _scored_by(assessment.ranking),
        "winner": None if winner is None else recorded[winner].name,
        "configs": configs,
        "failures": tuple(
            FailedRun(run_id=run.id, config=config.name, seed=run.seed, error=run.error or NO_ERROR)
            for config in recorded
            for run in config.runs
            if run.status is RunStatus.FAILED
        ),
        "findings": findings(recorded, assessment),
        "next_steps": next_steps(sweep, recorded, assessment, sweep_of),
    }


def _scored_by(ranking: Ranking) -> ScoredBy:
    objective = ranking.objective
    return ScoredBy(
        objective=objective,
        direction=objective.direction,
        source=ranking.source,
        definition=ranking.definition,
        starting_level=ranking.start,
    )


def _status_of(runs: Sequence[TrainingRun]) -> SweepStatus:
    """The status of a sweep of these runs."""
    present = {run.status for run in runs}
    order = (RunStatus.RUNNING, RunStatus.PENDING, RunStatus.FAILED, RunStatus.STOPPED)
    return SweepStatus(next((status for status in order if status in present), RunStatus.COMPLETED))


def _common(values: Sequence[Any]) -> Any:
    """What all of them are; None where they differ."""
    return values[0] if values and all(value == values[0] for value in values) else None


def as_json(report: SweepReport) -> dict[str, Any]:
    """The report as values that `json.dumps` takes."""
    converted = jsonable(report)
    assert isinstance(converted, dict)
    return converted


def _config_reports(recorded: Sequence[ConfigRuns], assessment: SweepAssessment) -> tuple[ConfigReport, ...]:
    ranking, source = assessment.ranking, assessment.ranking.source
    order = [index for group in ranking.groups for index in group]
    order += [index for index in range(len(recorded)) if index not in order]
    group_of = {index: group for group in ranking.groups for index in group}
    reports = []
    for index in order:
        config, judged, scores = recorded[index], assessment.configs[index], ranking.scores[index]
        reports.append(
            _config_report(
                config,
                judged,
                is_base=config.is_base,
                rank=ranking.ranks[index],
                tied_with=tuple(recorded[other].name for other in group_of.get(index, ()) if other != index),
                score=sum(scores) / len(scores) if scores else None,
                score_estimate=estimate(scores),
                minimum=ranking.objective.signed(min(map(ranking.objective.signed, scores))) if scores else None,
                score_win_rate=estimate(
                    [seed.win_rates[source] for seed in judged.figures.counted if source in seed.win_rates]
                ),
                seeds=tuple(
                    _seed_report(run, seed, source) for run, seed in zip(config.runs, judged.figures.seeds, strict=True)
                ),
            )
        )
    return tuple(reports)


def _config_report(config: ConfigRuns, judged: ConfigAssessment, **standing: Any) -> ConfigReport:
    figures = judged.figures
    return ConfigReport(
        name=config.name,
        path=config.runs[0].config_path,
        differences=config.differences,
        verdict=judged.verdict,
        signs=judged.signs,
        episodes=sum(seed.episodes for seed in figures.seeds),
        updates=min(seed.updates for seed in figures.counted or figures.seeds),
        env_steps=sum(run.env_steps for run in config.runs),
        first=figures.first,
        last=figures.last,
        gain=figures.gain,
        win_rate=figures.win_rate,
        episode_sd=figures.episode_sd,
        trend=figures.trend,
        steps_to_90=figures.steps_to_90,
        is_dead=judged.is_dead,
        area=figures.area,
        **standing,
    )


def _seed_report(run: TrainingRun, seed: SeedFigures, source: Source) -> SeedReport:
    return SeedReport(
        run_id=run.id,
        seed=run.seed,
        status=run.status,
        episodes=seed.episodes,
        updates=seed.updates,
        env_steps=run.env_steps,
        score=seed.scores.get(source),
        score_win_rate=seed.win_rates.get(source),
        first_reward=None if seed.first is None else seed.first.mean,
        last_reward=None if seed.last is None else seed.last.mean,
        win_rate=seed.win_rate,
    )


def _seconds(
    created_at: datetime, finished_at: datetime | None, signs: Sequence[datetime | None], runs: Sequence[TrainingRun]
) -> float:
    signs = [*signs, *(run.ended_at for run in runs), *(run.heartbeat_at for run in runs)]
    last = finished_at or max((sign for sign in signs if sign is not None), default=created_at)
    return max(0.0, (last - created_at).total_seconds())
