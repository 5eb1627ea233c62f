"""How many episodes a score evaluation has, for the tolerance that is asked."""

from dataclasses import dataclass
from math import ceil

from rlsweep.deciding.records import Tolerance

USUAL_EPISODES = 100
FEWEST_EPISODES = 20
MOST_EPISODES = 2_000
"""A tolerance of 0.022 of win rate; episodes beyond it cost more than further seeds, which a score needs as well."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreEpisodes:
    """count: episodes of each score evaluation; reason: a sentence that says why so many."""

    count: int
    reason: str


def episodes_for(tolerance: Tolerance, *, is_win_rate: bool) -> ScoreEpisodes:
    """So many episodes that the standard error of a score by episodes is half the tolerance.

    A won or lost episode has a standard deviation of at most 0.5. Of rewards it is not known before anything has been
    trained: taken for half the way from the starting level to the best, where the tolerance is a share of that way.
    """
    if not (is_win_rate or tolerance.is_share):
        return ScoreEpisodes(
            count=USUAL_EPISODES,
            reason=f"{USUAL_EPISODES} episodes: how far rewards scatter over episodes is not known beforehand.",
        )
    needed = ceil(1 / tolerance.value**2 - 1e-9)
    count = min(max(needed, FEWEST_EPISODES), MOST_EPISODES)
    asked = f"{tolerance.value:.3g}" if not tolerance.is_share else f"{100 * tolerance.value:.3g}% of the range"
    if count < needed:
        return ScoreEpisodes(
            count=count,
            reason=f"{count:,} episodes, the most; a standard error of half the tolerance ({asked}) takes {needed:,}.",
        )
    if count > needed:
        reason = f"{count:,} episodes, the fewest; the tolerance ({asked}) takes {needed:,}."
        return ScoreEpisodes(count=count, reason=reason)
    scatter = "0.5" if is_win_rate and not tolerance.is_share else "half the range"
    return ScoreEpisodes(
        count=count,
        reason=f"{count:,} episodes: a standard deviation of {scatter} then leaves a standard error of half the "
        f"tolerance ({asked}).",
    )
