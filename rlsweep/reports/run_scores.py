"""The scores of single runs, for lists and pages that show runs of many sweeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from rlsweep.analysis.curves import FIFTH
from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.scores import definition, scores_by_source
from rlsweep.reports.records import seed_record
from rlsweep.runs import RunSummary
from rlsweep.store.curves import Recorded, evaluations_of, no_updates, results_of
from rlsweep.store.database import Database

READ_AFTER = 1 - 1.05 * FIFTH
"""Share of a run before which its episodes are not read: a little less than what is before the last fifth."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunScore:
    """A run's score.

    definition: what it is, in words, such as `evaluation reward, mean of the last fifth`
    win_rate: share of wins in the episodes that it is taken from; None without outcomes
    """

    value: float
    definition: str
    win_rate: float | None


def run_scores(database: Database, runs: Sequence[RunSummary]) -> dict[UUID, RunScore]:
    """The score of each run by the best source that it has; runs without a score are left out.

    In a comparison each run is scored by a source that all of them have: see `rlsweep.reports.summary`.
    """
    ids = [run.id for run in runs]
    results, evaluations = results_of(database, ids, after=READ_AFTER), evaluations_of(database, ids)
    objective = Objective.EVALUATION_REWARD
    found: dict[UUID, RunScore] = {}
    for run in runs:
        recorded = Recorded(results=results[run.id], updates=no_updates(), evaluations=evaluations[run.id])
        record = seed_record(run, recorded)
        wins = scores_by_source(record, Objective.WIN_RATE)
        for source, value in scores_by_source(record, objective).items():
            score = RunScore(value=value, definition=definition(objective, source), win_rate=wins.get(source))
            found.setdefault(run.id, score)
    return found
