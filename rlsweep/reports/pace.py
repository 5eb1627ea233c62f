"""How fast a sweep's own runs were, and how many trained side by side: what more runs would take."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import fmean

from rlsweep.runs import RunStatus, TrainingRun
from rlsweep.store.charts import Axis, ends
from rlsweep.store.database import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """run_seconds: training time of one whole run, without pauses; slots: most runs that trained at one time."""

    run_seconds: float
    slots: int

    def seconds(self, runs: int) -> float:
        """How long so many whole runs take, side by side on as many slots."""
        return ceil(runs / self.slots) * self.run_seconds


def pace_of(database: Database, runs: Sequence[TrainingRun], *, slots: int | None = None) -> Pace | None:
    """The pace of these runs; None before one is complete.

    slots: of a race, which has them on record; its paused runs seem to train all the time
    """
    whole = [run.id for run in runs if run.status is RunStatus.COMPLETED]
    seconds = ends(database, whole, Axis.SECONDS) if whole else {}
    if not seconds:
        return None
    return Pace(run_seconds=fmean(seconds.values()), slots=max(1, _most_at_once(runs) if slots is None else slots))


def _most_at_once(runs: Sequence[TrainingRun]) -> int:
    """The most runs of which each had begun and none had ended. One that ends as another begins made room for it."""
    changes = []
    for run in runs:
        last = run.ended_at or run.heartbeat_at
        if run.started_at is not None and last is not None and last > run.started_at:
            changes += [(run.started_at, 1), (last, -1)]
    at_once = most = 0
    for _, change in sorted(changes):
        at_once += change
        most = max(most, at_once)
    return most
