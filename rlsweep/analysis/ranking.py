"""Which configs differ significantly: scores, ranks, tie groups, and a winner if there is one."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from rlsweep.analysis.figures import ConfigFigures
from rlsweep.analysis.intervals import FEWEST_SEEDS, holm, p_values_of_pairs
from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.scores import Source, common_source, definition
from rlsweep.analysis.update_counts import TOO_FEW_UPDATES

FAMILY_ERROR = 0.05
"""Chance that any two equal configs of a sweep are called different."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """The configs of a sweep against each other; they are named by their place in the sequence given.

    source: the best one from which every counted seed that has ended has a score
    scores: one value a counted seed, for each config, in the objective's unit
    start: the starting level, mean over all runs; None where none has an episode
    groups: best first; the configs of one group do not differ significantly from its best
    ranks: for each config 1 + the number of configs in better groups; None without a score, and of one that is untested
    untested: those of one seed beside others with more, best first: nothing tells such a score from chance
    winner: the one config of the top group; None if the top is a tie, if there is no other config, or if
        a config has too few seeds or policy updates to compare
    """

    objective: Objective
    source: Source
    scores: tuple[tuple[float, ...], ...]
    start: float | None
    groups: tuple[tuple[int, ...], ...]
    ranks: tuple[int | None, ...]
    untested: tuple[int, ...]
    winner: int | None

    @property
    def definition(self) -> str:
        """What the scores are, in words."""
        return definition(self.objective, self.source)

    @property
    def rank_words(self) -> str:
        """What a rank says, and which configs have none."""
        shared = "Configs that share a rank (=) do not differ significantly."
        count = len(self.untested)
        if not count:
            return shared
        which = "The config with one seed has" if count == 1 else f"The {count} configs with one seed have"
        return f"{shared} {which} no rank: one seed cannot be told from chance."


def rank(configs: Sequence[ConfigFigures], objective: Objective = Objective.EVALUATION_REWARD) -> Ranking:
    """Rank configs by their mean score; see `groups_of`."""
    counted = [seed for config in configs for seed in config.counted]
    ended = [seed for seed in counted if seed.status.is_finished]  # what still trains has no evaluation of its end yet
    source = common_source(seed.scores for seed in ended or counted)
    scores = tuple(_scores(config, source) for config in configs)
    scored = [index for index, values in enumerate(scores) if values]
    signed = [tuple(map(objective.signed, values)) for values in scores]
    groups = groups_of(signed)
    ranks: list[int | None] = [None] * len(configs)
    better = 0
    for group in groups:
        for index in group:
            ranks[index] = better + 1
        better += len(group)
    is_single = len(groups) > 1 and len(groups[0]) == 1
    is_sound = all(len(scores[i]) >= FEWEST_SEEDS and configs[i].updates >= TOO_FEW_UPDATES for i in scored)
    winner = groups[0][0] if is_single and is_sound else None
    starts = [seed.start for config in configs for seed in config.seeds if seed.start is not None]
    return Ranking(
        objective=objective,
        source=source,
        scores=scores,
        start=float(np.mean(starts)) if starts else None,
        groups=groups,
        ranks=tuple(ranks),
        untested=untested(signed),
        winner=winner,
    )


def groups_of(scores: Sequence[Sequence[float]]) -> tuple[tuple[int, ...], ...]:
    """Configs that do not differ significantly, by their place in the sequence; best first, higher scores are better.

    Every pair is compared by Welch's t test and Holm's correction over all pairs, for the best of many equal configs
    looks good by itself: of sixteen, at three seeds, by one standard deviation. Configs without scores, and those that
    are `untested`, are left out.
    """
    left_out = untested(scores)
    by_mean = _by_mean(scores, [index for index, values in enumerate(scores) if values and index not in left_out])
    pairs = list(combinations(by_mean, 2))
    p_values = p_values_of_pairs(scores)
    adjusted = holm([float(p_values[pair]) for pair in pairs])
    apart = {pair for pair, p_value in zip(pairs, adjusted, strict=True) if p_value < FAMILY_ERROR}
    return tie_groups(by_mean, apart)


def untested(scores: Sequence[Sequence[float]]) -> tuple[int, ...]:
    """The configs with one score where another has more, best first."""
    if max(map(len, scores), default=0) < 2:
        return ()
    return tuple(_by_mean(scores, [index for index, values in enumerate(scores) if len(values) == 1]))


def _by_mean(scores: Sequence[Sequence[float]], configs: Sequence[int]) -> list[int]:
    return sorted(configs, key=lambda index: -float(np.mean(scores[index])))


def _scores(config: ConfigFigures, source: Source) -> tuple[float, ...]:
    return tuple(seed.scores[source] for seed in config.counted if source in seed.scores)


def tie_groups(by_mean: Sequence[int], apart: set[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    """Split the configs, best first, into groups: each takes all that are left and do not differ from its best."""
    groups = []
    left = list(by_mean)
    while left:
        group = tuple(index for index in left if (left[0], index) not in apart)
        groups.append(group)
        left = [index for index in left if index not in group]
    return tuple(groups)
