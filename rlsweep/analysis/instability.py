"""Signs of unstable learning, each with its figure."""

import numpy as np
from scipy import special

from rlsweep.analysis.figures import ConfigFigures
from rlsweep.analysis.scale import Scale
from rlsweep.analysis.wording import number, of_seeds, percent

LARGEST_DRAWDOWN = 0.5
"""A run that lost more than half of what it had gained did not hold what it learned."""

LARGEST_SEED_SPREAD = 0.5
"""Standard deviation over seeds, as a share of the sweep's range of scores: beyond it luck outweighs the config."""

SPREAD_P_VALUE = 0.01
"""The seeds must also differ by more than their episodes' scatter explains (chi-square test of homogeneity)."""

KL_RATIO = 2.0
"""Times the sweep's median approximate KL: updates that large are the classic sign of a step size too high."""

HIGH_KL = 0.1
"""And at least this much. A learning rate three times the usual has two to three times the usual KL and may be the
best of the sweep: connect_four at 1e-3 was seen to learn at 0.05 beside 0.02 at 3e-4."""

LOWEST_EXPLAINED_VARIANCE = -1.0
"""The critic's error is then twice the variance of the returns. Merely below zero is no sign in a short run: after ten
updates of connect_four every run that learned stood at -0.05 to -0.3."""


def instabilities(figures: ConfigFigures, scale: Scale) -> list[str]:
    """Each way in which this config's learning was unstable; empty where there is none."""
    return [
        *_collapses(figures),
        *_disagreement(figures, scale),
        *_large_updates(figures, scale),
        *_misled_critic(figures),
    ]


def fell_back(figures: ConfigFigures) -> bool:
    """Whether a run of the config lost more than half of what it had gained."""
    return any(seed.drawdown is not None and seed.drawdown.share > LARGEST_DRAWDOWN for seed in figures.counted)


def _collapses(figures: ConfigFigures) -> list[str]:
    falls = [seed.drawdown for seed in figures.counted if seed.drawdown and seed.drawdown.share > LARGEST_DRAWDOWN]
    if not falls:
        return []
    worst = max(falls, key=lambda fall: fall.share)
    return [
        f"{of_seeds(len(falls), len(figures.counted))} fell back: training reward {number(worst.start)} at the start, "
        f"{number(worst.peak)} at its peak, {number(worst.final)} at the end ({percent(worst.share)} of the gain lost)"
    ]


def _disagreement(figures: ConfigFigures, scale: Scale) -> list[str]:
    lasts = [seed.last for seed in figures.counted if seed.last is not None]
    if figures.last is None or figures.last.sd is None or scale.score_range == 0:
        return []
    share = figures.last.sd / scale.score_range
    noise = float(np.mean([last.se**2 for last in lasts]))
    if share <= LARGEST_SEED_SPREAD or not np.isfinite(noise):
        return []
    freedom = len(lasts) - 1
    if noise > 0 and special.chdtrc(freedom, freedom * figures.last.sd**2 / noise) > SPREAD_P_VALUE:
        return []
    low, high = min(last.mean for last in lasts), max(last.mean for last in lasts)
    return [
        f"seeds end far apart: training reward of the last fifth from {number(low)} to {number(high)}, "
        f"sd {number(figures.last.sd)}, {percent(share)} of the sweep's range"
    ]


def _large_updates(figures: ConfigFigures, scale: Scale) -> list[str]:
    late = [seed.late_kl for seed in figures.counted if seed.late_kl is not None]
    if not late or not scale.kl:
        return []
    kl = float(np.median(late))
    if kl < HIGH_KL or kl <= KL_RATIO * scale.kl:
        return []
    return [f"policy updates are large: approximate KL {number(kl)}, {number(kl / scale.kl)} times the sweep's median"]


def _misled_critic(figures: ConfigFigures) -> list[str]:
    late = [seed.late_explained_variance for seed in figures.counted if seed.late_explained_variance is not None]
    if not late:
        return []
    variance = float(np.median(late))
    if variance >= LOWEST_EXPLAINED_VARIANCE:
        return []
    return [f"the value network predicts worse than a constant: explained variance {number(variance)} at the end"]
