"""One config less another, seed by seed: what they share by the seed drops out of the difference."""

from collections.abc import Mapping

import numpy as np

from rlsweep.analysis.bands import Band, band
from rlsweep.analysis.curves import Floats
from rlsweep.analysis.intervals import Estimate, estimate


def paired_difference(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Estimate | None:
    """Mean of ours less theirs over the seeds that both have, by seed, with its interval; None without such a seed."""
    return estimate([ours[seed] - theirs[seed] for seed in paired_seeds(ours, theirs)])


def paired_band(ours: Mapping[int, Floats], theirs: Mapping[int, Floats]) -> Band | None:
    """The same point by point for curves on one grid, (points,) each; None without a seed that both have.

    NaN where a curve of any of these seeds has ended.
    """
    seeds = paired_seeds(ours, theirs)
    return band(np.stack([ours[seed] - theirs[seed] for seed in seeds])) if seeds else None


def paired_seeds(ours: Mapping[int, object], theirs: Mapping[int, object]) -> list[int]:
    """The seeds that both have, in order."""
    return sorted(ours.keys() & theirs.keys())
