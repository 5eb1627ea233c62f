"""The summary of a sweep: what each config did, what it is worth, and where to look next."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from rlsweep.analysis.figures import SeedFigures
from rlsweep.analysis.intervals import Estimate
from rlsweep.analysis.ranking import Basis
from rlsweep.analysis.signs import Sign
from rlsweep.analysis.sweeps import ConfigAssessment, ConfigRecord, SweepAssessment, assess
from rlsweep.analysis.trends import Trend
from rlsweep.analysis.verdicts import Verdict
from rlsweep.reports.findings import NextStep, findings, next_steps
from rlsweep.reports.records import RecordedConfig, recorded_configs
from rlsweep.runs import RunStatus, Sweep, SweepStatus, TrainingRun
from rlsweep.store import training_runs
from rlsweep.store.database import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class SeedReport:
    """One run. Rewards are means over the first and last fifth of its env steps; None where there are none."""

    run_id: UUID
    seed: int
    status: RunStatus
    episodes: int
    updates: int
    env_steps: int
    first_reward: float | None
    last_reward: float | None
    win_rate: float | None
    evaluation_reward: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigReport:
    """One agent config over all its seeds.

    differences: the hyperparameters in which the sweep's configs differ, by dotted key
    rank: 1 + the number of configs in better groups; tied_with: the others that it cannot be told apart from
    score: what it is ranked by (see `SweepReport.ranked_by`), mean over seeds
    episodes, env_steps: over all seeds; updates: the fewest of a seed that counts
    first, last, gain: mean reward of the first and last fifth, and their difference
    win_rate, last_win_rate: shares over all episodes and over those of the last fifth; None without outcomes
    minimum: the worst seed's mean reward of the last fifth
    episode_sd: scatter of single episodes in the last fifth
    steps_to_90: env steps until 90% of the final gain was reached; None without a gain
    area: area under the smoothed curve over its env steps, in units of reward
    """

    name: str
    path: str
    is_base: bool
    differences: dict[str, Any]
    rank: int | None
    tied_with: tuple[str, ...]
    score: float | None
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
    last_win_rate: Estimate | None
    minimum: float | None
    episode_sd: float | None
    trend: Trend | None
    steps_to_90: float | None
    area: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FailedRun:
    """A run that failed, and the last line of its error."""

    run_id: UUID
    config: str
    seed: int
    error: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepReport:
    """A sweep as it stands.

    seconds: from its submission to its end, or to the last sign of life of one that has not ended
    runs: how many in each status
    ranked_by: what the ranks rest on
    winner: the one config that is told apart from all others; None where there is none
    configs: best first, those without a score last
    findings: what can be said of the sweep as a whole, in sentences
    """

    id: UUID
    name: str
    status: SweepStatus
    mode: str
    budget: dict[str, Any]
    environment: str
    created_at: datetime
    finished_at: datetime | None
    seconds: float
    runs: dict[RunStatus, int]
    episodes: int
    updates: int
    env_steps: int
    ranked_by: Basis
    winner: str | None
    configs: tuple[ConfigReport, ...]
    failures: tuple[FailedRun, ...]
    findings: tuple[str, ...]
    next_steps: tuple[NextStep, ...]


def summarise(database: Database, sweep: Sweep) -> SweepReport:
    """Read a sweep and judge it; one that still runs is judged by what it has recorded so far."""
    runs = training_runs.of_sweep(database, sweep.id)
    recorded = recorded_configs(database, runs)
    bases = [config for config in recorded if config.runs[0].sweep_variant is None]
    base = bases[0] if len(bases) == 1 else None
    assessment = assess(
        [ConfigRecord(name=config.name, is_base=config is base, seeds=config.records) for config in recorded]
    )
    configs = _config_reports(recorded, assessment, base)
    winner = assessment.ranking.winner
    seeds = [seed for config in configs for seed in config.seeds]
    return SweepReport(
        id=sweep.id,
        name=sweep.name,
        status=sweep.status,
        mode=sweep.mode,
        budget=sweep.budget,
        environment=str(sweep.base_config["environment"]["id"]),
        created_at=sweep.created_at,
        finished_at=sweep.finished_at,
        seconds=_seconds(sweep, runs),
        runs=dict(Counter(run.status for run in runs)),
        episodes=sum(seed.episodes for seed in seeds),
        updates=sum(seed.updates for seed in seeds),
        env_steps=sum(seed.env_steps for seed in seeds),
        ranked_by=assessment.ranking.basis,
        winner=None if winner is None else recorded[winner].name,
        configs=configs,
        failures=tuple(
            FailedRun(run_id=run.id, config=config.name, seed=run.seed, error=_last_line(run.error))
            for config in recorded
            for run in config.runs
            if run.status is RunStatus.FAILED
        ),
        findings=findings(recorded, assessment),
        next_steps=next_steps(sweep, recorded, assessment),
    )


def as_json(report: SweepReport) -> dict[str, Any]:
    """The report as values that `json.dumps` takes: ids and times as text, tuples as lists."""
    converted = _plain(dataclasses.asdict(report))
    assert isinstance(converted, dict)
    return converted


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {str(_plain(key)): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
    return value


def _config_reports(
    recorded: Sequence[RecordedConfig], assessment: SweepAssessment, base: RecordedConfig | None
) -> tuple[ConfigReport, ...]:
    ranking = assessment.ranking
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
                is_base=config is base,
                rank=ranking.ranks[index],
                tied_with=tuple(recorded[other].name for other in group_of.get(index, ()) if other != index),
                score=sum(scores) / len(scores) if scores else None,
            )
        )
    return tuple(reports)


def _config_report(config: RecordedConfig, judged: ConfigAssessment, **standing: Any) -> ConfigReport:
    figures = judged.figures
    return ConfigReport(
        name=config.name,
        path=config.runs[0].config_path,
        differences=config.differences,
        verdict=judged.verdict,
        signs=judged.signs,
        seeds=tuple(_seed_report(run, seed) for run, seed in zip(config.runs, figures.seeds, strict=True)),
        episodes=sum(seed.episodes for seed in figures.seeds),
        updates=figures.updates,
        env_steps=sum(run.env_steps for run in config.runs),
        first=figures.first,
        last=figures.last,
        gain=figures.gain,
        win_rate=figures.win_rate,
        last_win_rate=figures.final_win_rate,
        minimum=figures.minimum,
        episode_sd=figures.episode_sd,
        trend=figures.trend,
        steps_to_90=figures.steps_to_90,
        area=figures.area,
        **standing,
    )


def _seed_report(run: TrainingRun, seed: SeedFigures) -> SeedReport:
    return SeedReport(
        run_id=run.id,
        seed=run.seed,
        status=run.status,
        episodes=seed.episodes,
        updates=seed.updates,
        env_steps=run.env_steps,
        first_reward=None if seed.first is None else seed.first.mean,
        last_reward=None if seed.last is None else seed.last.mean,
        win_rate=seed.win_rate,
        evaluation_reward=seed.evaluation,
    )


def _seconds(sweep: Sweep, runs: Sequence[TrainingRun]) -> float:
    signs = [sweep.heartbeat_at, *(run.ended_at for run in runs), *(run.heartbeat_at for run in runs)]
    last = sweep.finished_at or max((sign for sign in signs if sign is not None), default=sweep.created_at)
    return max(0.0, (last - sweep.created_at).total_seconds())


def _last_line(error: str | None) -> str:
    lines = [line.strip() for line in (error or "").splitlines() if line.strip()]
    return lines[-1] if lines else "no error was recorded"
