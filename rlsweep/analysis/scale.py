"""What counts as large in one sweep: its own yardsticks, for rewards have no common scale."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rlsweep.analysis.figures import ConfigFigures

PRACTICAL_GAIN = 0.2
"""A gain that matters, in standard deviations of an episode's reward before learning: Cohen's small effect."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """Taken over all counted runs of the sweep.

    score_range: highest less lowest mean reward of any fifth of any run
    practical_gain: the least gain that matters, in units of reward
    episode_sd: median over configs of the scatter of single episodes at the end; None with fewer than two configs
    kl: median over runs of the late approximate KL; None where no run reports one
    """

    score_range: float
    practical_gain: float
    episode_sd: float | None
    kl: float | None


def scale_of(configs: Sequence[ConfigFigures]) -> Scale:
    """Work out a sweep's yardsticks."""
    counted = [seed for config in configs for seed in config.counted]
    means = [mean for seed in counted for mean in seed.stage_means]
    variances = [seed.first.sd**2 for seed in counted if seed.first is not None]
    scatter = [config.episode_sd for config in configs if config.episode_sd is not None]
    kl = [seed.late_kl for seed in counted if seed.late_kl is not None]
    return Scale(
        score_range=max(means) - min(means) if means else 0.0,
        practical_gain=PRACTICAL_GAIN * float(np.sqrt(np.mean(variances))) if variances else 0.0,
        episode_sd=float(np.median(scatter)) if len(scatter) > 1 else None,
        kl=float(np.median(kl)) if kl else None,
    )
