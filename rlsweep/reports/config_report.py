"""What a report says of one agent config and of its runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rlsweep.analysis.bounds import SHARE, bounds_of
from rlsweep.analysis.figures import SeedFigures
from rlsweep.analysis.intervals import Estimate, estimate
from rlsweep.analysis.scores import Source
from rlsweep.analysis.signs import Sign
from rlsweep.analysis.sweeps import ConfigAssessment, SweepAssessment
from rlsweep.analysis.trends import Trend
from rlsweep.analysis.verdicts import Verdict
from rlsweep.reports.records import ConfigRuns
from rlsweep.runs import RunStatus, TrainingRun


@dataclass(frozen=True, kw_only=True, slots=True)
class SeedReport:
    """One run.

    has_begun: whether any attempt of it was begun
    rung: at which it waits or to which it trains, from 1; None where its sweep has none, or it was not chosen yet
    score: see `Comparison.scored_by`; None where there is none
    score_win_rate: share of wins in the episodes that the score is taken from; None without outcomes
    first_reward, last_reward: training reward, mean over the first and last fifth of its env steps
    win_rate: over all episodes of training
    """

    run_id: UUID
    seed: int
    status: RunStatus
    has_begun: bool
    rung: int | None
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
    rank: 1 + the number of configs in better groups; None without a score, and of one seed beside configs with more
    tied_with: the others that do not differ significantly
    score: what it is ranked by (see `Comparison.scored_by`), mean over seeds; score_estimate: with its interval
    score_win_rate: share of wins in the episodes that the score is taken from; None without outcomes
    minimum: the worst seed's score
    difference: of its score to that of the comparison's reference, by equal seeds; None for that config itself
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
    difference: Estimate | None
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


def config_reports(recorded: Sequence[ConfigRuns], assessment: SweepAssessment) -> tuple[ConfigReport, ...]:
    """Report the configs, best first, then those of one seed that have no rank, and those without a score last."""
    ranking, source = assessment.ranking, assessment.ranking.source
    order = [*(index for group in ranking.groups for index in group), *ranking.untested]
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
                score_estimate=estimate(
                    scores, bounds_of(ranking.objective, (seed.wins_or_loses for seed in judged.figures.counted))
                ),
                minimum=ranking.objective.signed(min(map(ranking.objective.signed, scores))) if scores else None,
                score_win_rate=estimate(
                    [seed.win_rates[source] for seed in judged.figures.counted if source in seed.win_rates], SHARE
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
        difference=None,
        **standing,
    )


def _seed_report(run: TrainingRun, seed: SeedFigures, source: Source) -> SeedReport:
    return SeedReport(
        run_id=run.id,
        seed=run.seed,
        status=run.status,
        has_begun=run.attempt > 0,
        rung=run.rung,
        episodes=seed.episodes,
        updates=seed.updates,
        env_steps=run.env_steps,
        score=seed.scores.get(source),
        score_win_rate=seed.win_rates.get(source),
        first_reward=None if seed.first is None else seed.first.mean,
        last_reward=None if seed.last is None else seed.last.mean,
        win_rate=seed.win_rate,
    )
