"""The genealogy of a sweep that trains a population, from its record."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.scores import interval_score
from rlsweep.reports.lineage import CopyMade, LineagePart, PopulationMember, copies_made, lineage_of
from rlsweep.reports.records import seed_records
from rlsweep.runs import TrainingRun
from rlsweep.scheduler_records import Scheduler, SchedulerKind
from rlsweep.store import exploits, schedulers, training_runs
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep


@dataclass(frozen=True, kw_only=True, slots=True)
class Population:
    """The genealogy of a population.

    objective: what members are compared by, as `analysis.objectives.Objective` has it
    interval: env steps between two decisions about a member
    env_steps: of the member that is furthest
    best: number of the best member; None while none has a score
    best_by: what makes it the best, in words
    copies: in the order in which they were made
    lineage: of the best member, from the start of training
    """

    objective: str
    interval: int
    env_steps: int
    best: int | None
    best_by: str
    members: tuple[PopulationMember, ...]
    copies: tuple[CopyMade, ...]
    lineage: tuple[LineagePart, ...]


def population_of(database: Database, sweep: Sweep) -> Population | None:
    """The genealogy of the sweep's population; None if it trains none."""
    scheduler = schedulers.find(database, sweep.id)
    if scheduler is None or scheduler.kind is not SchedulerKind.PBT:
        return None
    interval = int(scheduler.settings["interval"])
    runs = training_runs.of_sweep(database, sweep.id)
    made = exploits.of_sweep(database, sweep.id)
    records = {each.number: each.record for each in schedulers.decisions(database, sweep.id)}
    objective = Objective(scheduler.objective)
    copies = copies_made(runs, made, records, interval=interval, objective=objective)
    ends = _end_scores(database, runs, scheduler, objective)
    best = max(ends, key=lambda number: (ends[number], -number)) if ends else _best_at_interval(records.values())
    at_end = "its score since the last interval" if ends else "its score at the last interval"
    return Population(
        objective=objective.value,
        interval=interval,
        env_steps=max((run.env_steps for run in runs), default=0),
        best=best,
        best_by=at_end,
        members=tuple(
            PopulationMember(
                number=number,
                run_id=run.id,
                name=run.config_short_name,
                seed=run.seed,
                status=run.status,
                env_steps=run.env_steps,
                copies=sum(copy.member == number for copy in copies),
            )
            for number, run in enumerate(runs, start=1)
        ),
        copies=copies,
        lineage=() if best is None else lineage_of(runs, made, runs[best - 1].id),
    )


def _end_scores(
    database: Database, runs: Sequence[TrainingRun], scheduler: Scheduler, objective: Objective
) -> dict[int, float]:
    """By number, the score of each member since the last interval, higher is better; empty while any trains on."""
    if not all(run.status.is_finished for run in runs):
        return {}
    last = int(scheduler.settings["intervals"]) * int(scheduler.settings["interval"])
    records = seed_records(database, runs)
    scores = {
        number: interval_score(records[run.id], objective, after=last, until=run.env_steps)
        for number, run in enumerate(runs, start=1)
        if run.env_steps > last
    }
    return {number: objective.signed(score) for number, score in scores.items() if score is not None}


def _best_at_interval(records: Iterable[Mapping[str, Any]]) -> int | None:
    """The member with the best score at the last interval that any reached, by the newest decision."""
    *_, newest = ({"members": ()}, *records)
    scored = [
        (reached["interval"], reached["score"], -member["number"])
        for member in newest["members"]
        for reached in member["reached"]
        if reached["score"] is not None
    ]
    return -max(scored)[2] if scored else None
