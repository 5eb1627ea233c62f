"""A population in words."""

from collections.abc import Iterator

from rlsweep.analysis.wording import number, plural
from rlsweep.reports.lineage import CopyMade, lineage_lines, pairs
from rlsweep.reports.population import Population
from rlsweep.reports.population_line import changes_in_words

MOST_COPIES = 10
"""Told one by one; JSON has them all."""


def population_lines(population: Population) -> Iterator[tuple[str, str]]:
    """Mark and text of each line: how many copies were made, the newest of them, and the lineage of the best."""
    times = plural(len(population.copies), "time")
    yield (
        "",
        f"Population of {len(population.members)}, compared every {population.interval:,} env steps by "
        f"{population.objective.replace('_', ' ')}: {times} a member became a copy of a better one.",
    )
    left_out = len(population.copies) - MOST_COPIES
    if left_out > 0:
        yield "- ", f"{left_out:,} earlier copies are left out here; --json has them."
    for copy in population.copies[-MOST_COPIES:]:
        yield "- ", copy_in_words(copy)
    if population.best is not None:
        yield "", f"Lineage of member {population.best}, whose config is the schedule of all of it:"
        for line in lineage_lines(population.lineage):
            yield "- ", line


def copy_in_words(copy: CopyMade) -> str:
    """`At 2,048, member 3 (score 20.5) copied member 2 (score 64.2): learning_rate 0.0036 → 0.0043.`."""
    own = " (failed)" if copy.had_failed else _scored(copy.score)
    source = "a deleted run" if copy.source is None else f"member {copy.source}{_scored(copy.source_score)}"
    changes = changes_in_words(pairs(copy.changes))
    return f"At {copy.env_steps:,}, member {copy.member}{own} copied {source}: {changes}."


def _scored(score: float | None) -> str:
    return "" if score is None else f" (score {number(score)})"
