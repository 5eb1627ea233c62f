"""The genealogy of a sweep that trains a population, from its record."""

from collections.abc import Iterable, Sequence
from typing import Any

from rlsweep.reports.lineage import Change, Exploit, Lineage, MemberState, lineage
from rlsweep.runs import TrainingRun
from rlsweep.scheduler_records import SchedulerDecision, SchedulerKind
from rlsweep.store import schedulers, training_runs
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep


def sweep_lineage(database: Database, sweep: Sweep) -> Lineage | None:
    """The genealogy of the sweep's population; None if it trains none."""
    scheduler = schedulers.find(database, sweep.id)
    if scheduler is None or scheduler.kind is not SchedulerKind.PBT:
        return None
    interval = int(scheduler.settings["interval"])
    decisions = schedulers.decisions(database, sweep.id)
    last = decisions[-1].record["members"] if decisions else []
    scores = {each["number"]: _last_score(each["reached"]) for each in last}
    members = [
        _member(number, run, scores.get(number))
        for number, run in enumerate(training_runs.of_sweep(database, sweep.id), 1)
    ]
    return lineage(members, list(_exploits(decisions, interval)), interval, _best(scores))


def _exploits(decisions: Iterable[SchedulerDecision], interval: int) -> Iterable[Exploit]:
    for decision in decisions:
        for step in decision.decision["steps"]:
            if step["source"] is not None:
                changes = step.get("changes")
                yield Exploit(
                    member=step["member"],
                    source=step["source"],
                    env_steps=step["interval"] * interval,
                    changes=None if changes is None else tuple(Change(**each) for each in changes),
                )


def _last_score(reached: Sequence[dict[str, Any]]) -> tuple[int, float] | None:
    """The last interval with a score, and the score."""
    scored = [(each["interval"], each["score"]) for each in reached if each["score"] is not None]
    return scored[-1] if scored else None


def _best(scores: dict[int, tuple[int, float] | None]) -> int | None:
    """The member with the best score at the last interval that any reached."""
    known = {number: score for number, score in scores.items() if score is not None}
    return max(known, key=lambda number: (*known[number], -number)) if known else None


def _member(number: int, run: TrainingRun, score: tuple[int, float] | None) -> MemberState:
    return MemberState(
        number=number,
        run_id=run.id,
        config=run.config_short_name,
        status=run.status,
        env_steps=run.env_steps,
        score=None if score is None else score[1],
    )
