"""The figures of one run and of one config: what verdicts, rankings and summaries are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rlsweep.analysis.bounds import SHARE, bounds_of, wins_or_loses
from rlsweep.analysis.curves import (
    HALF,
    Drawdown,
    Floats,
    Stage,
    Steps,
    aligned,
    area_under_curve,
    drawdown,
    stages,
    steps_to_share_of_gain,
)
from rlsweep.analysis.finite import finite_mean, finite_median
from rlsweep.analysis.intervals import Estimate, estimate
from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.scores import Source, level_before_learning, scores_at, scores_by_source
from rlsweep.analysis.seed_record import SeedRecord
from rlsweep.analysis.trends import Trend, trend
from rlsweep.runs import RunStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class SeedFigures:
    """One run in figures; None where it recorded too little to say.

    has_begun: whether any attempt of the run was begun
    rung: at which it waits, or to which it trains; see `SeedRecord`
    env_steps: at the end of the last episode
    start: the score before learning
    scores: by each source that the run has one from; win_rates: shares of wins in the same episodes
    half_scores: the same as `scores` after half of its budget, or as far as it came
    win_rate: over all episodes of training that have an outcome
    wins_or_loses: whether the reward of each of its episodes is -1, 0 or 1
    late_kl: median approximate KL of the later half of the updates
    late_explained_variance: median over the last fifth of the updates
    stage_means: mean rewards of the nine overlapping fifths
    steps_to_90: env steps until its smoothed curve held 90% of its final gain; None without a gain
    """

    seed: int
    status: RunStatus
    has_begun: bool
    episodes: int
    updates: int
    env_steps: int
    first: Stage | None
    last: Stage | None
    start: float | None
    scores: Mapping[Source, float]
    half_scores: Mapping[Source, float]
    win_rates: Mapping[Source, float]
    win_rate: float | None
    wins_or_loses: bool
    drawdown: Drawdown | None
    non_finite: bool
    late_kl: float | None
    late_explained_variance: float | None
    stage_means: tuple[float, ...]
    steps_to_90: float | None
    rung: int | None

    @property
    def gain(self) -> float | None:
        """Mean reward of the last fifth less that of the first; None with fewer than two episodes."""
        if self.first is None or self.last is None or self.episodes < 2:
            return None
        return self.last.mean - self.first.mean

    @property
    def is_counted(self) -> bool:
        """Whether the run enters its config's means: it has episodes, did not crash, and does not wait at a rung."""
        return self.last is not None and self.status not in (RunStatus.FAILED, RunStatus.PAUSED)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigFigures:
    """All seeds of one config in figures. The means are over the seeds that are counted.

    first, last, gain: training reward of the first and the last fifth, and their difference
    episode_sd: scatter of single episodes in the last fifth, root mean square over seeds
    steps_to_90: env steps until the smoothed mean curve held 90% of its final gain; None without a gain
    area: mean height of the smoothed mean curve, in units of reward
    """

    seeds: tuple[SeedFigures, ...]
    first: Estimate | None
    last: Estimate | None
    gain: Estimate | None
    win_rate: Estimate | None
    episode_sd: float | None
    trend: Trend | None
    steps_to_90: float | None
    area: float | None

    @property
    def counted(self) -> tuple[SeedFigures, ...]:
        """The seeds that enter the means."""
        return tuple(seed for seed in self.seeds if seed.is_counted)

    @property
    def updates(self) -> int:
        """The fewest policy updates of a counted seed; 0 without one."""
        return min((seed.updates for seed in self.counted), default=0)


def seed_figures(record: SeedRecord, objective: Objective = Objective.EVALUATION_REWARD) -> SeedFigures:
    """Work out one run's figures."""
    steps, reward = record.env_steps, record.reward
    later_kl = record.approx_kl[record.approx_kl.size // 2 :]
    late_variance = record.explained_variance[int(0.8 * record.explained_variance.size) :]
    scores, half_scores = scores_at(record, objective, (1.0, HALF))
    fifths = stages(steps, reward)
    curve = [each for each in fifths if each is not None]
    return SeedFigures(
        seed=record.seed,
        status=record.status,
        has_begun=record.has_begun,
        rung=record.rung,
        episodes=int(reward.size),
        updates=len(record.losses),
        env_steps=int(steps[-1]) if steps.size else 0,
        first=fifths[0],
        last=fifths[-1],
        start=level_before_learning(record, objective),
        scores=scores,
        half_scores=half_scores,
        win_rates=scores_by_source(record, Objective.WIN_RATE),
        win_rate=finite_mean(record.won),
        wins_or_loses=wins_or_loses(reward),
        drawdown=drawdown(curve),
        non_finite=record.diverged or not (np.isfinite(reward).all() and np.isfinite(record.losses).all()),
        late_kl=finite_median(later_kl),
        late_explained_variance=finite_median(late_variance),
        stage_means=tuple(each.mean for each in curve),
        steps_to_90=_steps_to_90(steps, reward),
    )


def config_figures(records: Sequence[SeedRecord], objective: Objective = Objective.EVALUATION_REWARD) -> ConfigFigures:
    """Work out one config's figures from its runs."""
    seeds = tuple(seed_figures(record, objective) for record in records)
    kept = [(record, seed) for record, seed in zip(records, seeds, strict=True) if seed.is_counted]
    curves = [(record.env_steps, record.reward) for record, _ in kept]
    together = aligned(curves)
    lasts = [seed.last for _, seed in kept if seed.last is not None]
    within = bounds_of(Objective.TRAINING_REWARD, (seed.wins_or_loses for _, seed in kept))
    return ConfigFigures(
        seeds=seeds,
        first=estimate([seed.first.mean for _, seed in kept if seed.first is not None], within),
        last=estimate([last.mean for last in lasts], within),
        gain=estimate([seed.gain for _, seed in kept if seed.gain is not None]),
        win_rate=estimate([seed.win_rate for _, seed in kept if seed.win_rate is not None], SHARE),
        episode_sd=float(np.sqrt(np.mean([last.sd**2 for last in lasts]))) if lasts else None,
        trend=trend(curves),
        steps_to_90=steps_to_share_of_gain(together.env_steps, together.mean) if together else None,
        area=area_under_curve(together.env_steps, together.mean) if together else None,
    )


def _steps_to_90(env_steps: Steps, reward: Floats) -> float | None:
    alone = aligned([(env_steps, reward)])
    return None if alone is None else steps_to_share_of_gain(alone.env_steps, alone.mean)
