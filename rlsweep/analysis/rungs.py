"""Runs that wait at a rung, and how far a sweep with ASHA has come."""

from dataclasses import dataclass

from rlsweep.runs import Budget, RunStatus, RunSummary
from rlsweep.scheduler_records import AshaStanding


def waits_at(run: RunSummary) -> str | None:
    """`waits at rung 2`; None for a run that does not, or whose sweep has no rungs."""
    return None if run.rung is None or run.status is not RunStatus.PAUSED else f"waits at rung {run.rung}"


def rung_words(budget: Budget, share: float) -> str:
    """What a rung is: `10,240 env steps`, `34 episodes`; a run waits after the first update that reaches it."""
    if budget.episodes is not None:
        return f"{round(share * budget.episodes):,} episodes"
    return f"{round(share * (budget.total_timesteps or 0)):,} env steps"


@dataclass(frozen=True, kw_only=True, slots=True)
class AshaProgress:
    """What the runs of a sweep with ASHA have trained, and what is expected to come; both in whole budgets."""

    done: float
    left: float

    @property
    def share(self) -> float:
        """Part that is done, 0 to 1."""
        total = self.done + self.left
        return self.done / total if total else 1.0


def asha_progress(standing: AshaStanding, under_way: float = 0.0) -> AshaProgress:
    """How far it has come, if 1 / reduction of the runs at each rung go on.

    under_way: what runs have trained beyond their last rung, in whole budgets
    """
    done = left = below = 0.0
    for place, rung in enumerate(standing.rungs):
        expected = max(standing.runs / standing.reduction**place, rung.sent, 1.0)
        done += rung.reached * (rung.share - below)
        left += (expected - rung.reached) * (rung.share - below)
        below = rung.share
    return AshaProgress(done=done + under_way, left=0.0 if standing.is_over else max(0.0, left - under_way))


def beyond_rung(run: RunSummary, standing: AshaStanding) -> float:
    """What a run on its way to its next rung has trained since the one before, in whole budgets."""
    if run.rung is None:
        return 0.0
    below = standing.rungs[run.rung - 2].share if run.rung > 1 else 0.0
    return max(0.0, min(run.progress or 0.0, standing.rungs[run.rung - 1].share) - below)
