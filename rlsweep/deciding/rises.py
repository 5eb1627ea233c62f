"""How scores rise from the rung to the end of the budget, and how much more a longer budget may bring."""

from dataclasses import dataclass
from statistics import fmean

from rlsweep.deciding.records import SeedScores


@dataclass(frozen=True, slots=True)
class Rise:
    """gain: mean from the rung to the end; pace: that gain / the gain up to the rung, at most 1."""

    gain: float
    pace: float

    @property
    def to_come(self) -> float:
        """Gain of as many env steps again, each half of them at this pace of the half before."""
        return self.gain * (self.pace + self.pace**2)


def rise_of(seeds: tuple[SeedScores, ...], start: float) -> Rise | None:
    """The rise of a config's mean; None where no seed has both scores."""
    both = [(each.rung, each.full) for each in seeds if each.rung is not None and each.full is not None]
    if not both:
        return None
    before = fmean(rung for rung, _ in both) - start
    gain = max(0.0, fmean(full - rung for rung, full in both))
    return Rise(gain, gain / before if gain < before else 1.0)
