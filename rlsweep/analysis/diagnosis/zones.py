"""The metrics of an update that are judged, and the zones in which their values lie."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rlsweep.analysis.curves import Floats
from rlsweep.analysis.diagnosis.series import REFERENCE_UPDATES, UpdateSeries, reference
from rlsweep.analysis.instability import HIGH_KL, LOWEST_EXPLAINED_VARIANCE

LOW_KL = 1e-4
HIGH_CLIP_FRACTION = 0.6
LOW_ENTROPY_SHARE = 0.05
VALUE_LOSS_GROWTH = 100.0
FEW_GRADIENT_STEPS = 0.1


class Zone(StrEnum):
    """Where a value lies."""

    USUAL = "usual"
    UNUSUAL = "unusual"
    FAR = "far"


@dataclass(frozen=True, kw_only=True, slots=True)
class Band:
    """The zone of values from the last band's end up to `below`, which is not included."""

    below: float
    zone: Zone


@dataclass(frozen=True, kw_only=True, slots=True)
class StripMetric:
    """One metric.

    name: field of `UpdateSeries`
    judged: what of it is judged, in words: the value itself, or its ratio to something
    ratio_to: what values are divided by before they are judged
    bands: ascending; the last one is without end
    source: where the bands' limits are from
    """

    name: str
    label: str
    judged: str
    bands: tuple[Band, ...]
    source: str
    ratio_to: Callable[[UpdateSeries], float] = lambda _: 1.0

    def zones(self, judged: Floats) -> NDArray[np.int64]:
        """The index of each judged value's band, -1 for NaN."""
        limits = [band.below for band in self.bands[:-1]]
        return np.where(np.isfinite(judged), np.searchsorted(limits, judged, side="right"), -1)


_ENDLESS = float("inf")


def _entropy_reference(series: UpdateSeries) -> float:
    """The entropy of the first updates; NaN for continuous actions, whose entropy may be negative and has no zero."""
    known = series.entropy[np.isfinite(series.entropy)]
    if not known.size or float(known.min()) < 0:
        return float("nan")
    first = float(known[:REFERENCE_UPDATES].max())  # the largest, for it may fall to nothing within these
    return first if first > 0 else float("nan")


def _value_loss_reference(series: UpdateSeries) -> float:
    first = reference(series.value_loss)
    return first if first > 0 else float("nan")


APPROX_KL = StripMetric(
    name="approx_kl",
    label="Approximate KL",
    judged="nats",
    bands=(
        Band(below=LOW_KL, zone=Zone.UNUSUAL),
        Band(below=0.05, zone=Zone.USUAL),
        Band(below=HIGH_KL, zone=Zone.UNUSUAL),
        Band(below=_ENDLESS, zone=Zone.FAR),
    ),
    source="Usual up to 0.05: PPO's paper tunes for 0.003 to 0.03 (Schulman et al. 2017), Spinning Up for 0.01 to "
    "0.05. 0.1 and 0.0001 are rlsweep's own limits, set on runs that learned.",
)
CLIP_FRACTION = StripMetric(
    name="clip_fraction",
    label="Clip fraction",
    judged="share of samples",
    bands=(
        Band(below=0.4, zone=Zone.USUAL),
        Band(below=HIGH_CLIP_FRACTION, zone=Zone.UNUSUAL),
        Band(below=_ENDLESS, zone=Zone.FAR),
    ),
    source="rlsweep's own limits: no paper gives one, and runs that learned stayed below 0.35.",
)
ENTROPY = StripMetric(
    name="entropy",
    label="Entropy",
    judged="share of the run's first updates",
    bands=(
        Band(below=LOW_ENTROPY_SHARE, zone=Zone.FAR),
        Band(below=0.15, zone=Zone.UNUSUAL),
        Band(below=_ENDLESS, zone=Zone.USUAL),
    ),
    source="An early fall of entropy ends exploration (Schulman, The Nuts and Bolts of Deep RL Research, 2016); the "
    "limits 5% and 15% are rlsweep's own.",
    ratio_to=_entropy_reference,
)
EXPLAINED_VARIANCE = StripMetric(
    name="explained_variance",
    label="Explained variance",
    judged="1 is a perfect prediction",
    bands=(
        Band(below=LOWEST_EXPLAINED_VARIANCE, zone=Zone.FAR),
        Band(below=0.0, zone=Zone.UNUSUAL),
        Band(below=_ENDLESS, zone=Zone.USUAL),
    ),
    source="Below 0 the value network predicts worse than a constant (SB3's logger). Games that learned stood at -0.3 "
    "for long, so only below -1, where its error is twice the returns' variance, is far from usual.",
)
VALUE_LOSS = StripMetric(
    name="value_loss",
    label="Value loss",
    judged="times the run's first updates",
    bands=(
        Band(below=10.0, zone=Zone.USUAL),
        Band(below=VALUE_LOSS_GROWTH, zone=Zone.UNUSUAL),
        Band(below=_ENDLESS, zone=Zone.FAR),
    ),
    source="rlsweep's own limits: value loss has no scale but that of the returns.",
    ratio_to=_value_loss_reference,
)
GRADIENT_STEPS = StripMetric(
    name="gradient_steps",
    label="Gradient steps",
    judged="share of n_epochs over the whole rollout",
    bands=(
        Band(below=FEW_GRADIENT_STEPS, zone=Zone.FAR),
        Band(below=0.5, zone=Zone.UNUSUAL),
        Band(below=_ENDLESS, zone=Zone.USUAL),
    ),
    source="SB3 ends an update where KL exceeds 1.5 × target_kl; without target_kl every update takes all steps. The "
    "limits are rlsweep's own.",
    ratio_to=lambda series: float(series.settings.gradient_steps),
)

STRIP_METRICS = (APPROX_KL, CLIP_FRACTION, ENTROPY, EXPLAINED_VARIANCE, VALUE_LOSS, GRADIENT_STEPS)
