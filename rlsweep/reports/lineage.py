"""Who became a copy of whom in a population, and the way of one member back to the start of training."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from rlsweep.analysis.objectives import Objective
from rlsweep.population_records import Exploit
from rlsweep.reports.population_line import changes_in_words
from rlsweep.runs import RunStatus, TrainingRun


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueChange:
    """A hyperparameter that changed with a copy: the source's value, and the member's from there on."""

    before: Any
    after: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class PopulationMember:
    """One run of a population. number: 1, 2, … in the order of the plan; copies: how often it became a copy."""

    number: int
    run_id: UUID
    name: str
    seed: int
    status: RunStatus
    env_steps: int
    copies: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyMade:
    """A member became a copy.

    decision: its number; env_steps: of both members, where the copy was made
    member, source: their numbers; source is None if its record was deleted
    had_failed: whether the member had failed on the way there
    score, source_score: at that interval, in the objective's unit; None without one
    changes: by dotted key
    """

    decision: int
    made_at: datetime
    env_steps: int
    member: int
    source: int | None
    had_failed: bool
    score: float | None
    source_score: float | None
    changes: dict[str, ValueChange]


@dataclass(frozen=True, kw_only=True, slots=True)
class LineagePart:
    """Env steps that one member trained on the way to another one's weights.

    first_step, last_step: env steps at its begin and end
    changes: what changed at its begin, by dotted key; empty at the start of training
    """

    member: int
    first_step: int
    last_step: int
    changes: dict[str, ValueChange]


def copies_made(
    runs: Sequence[TrainingRun],
    exploits: Sequence[Exploit],
    records: Mapping[int, Mapping[str, Any]],
    *,
    interval: int,
    objective: Objective,
) -> tuple[CopyMade, ...]:
    """All copies of a population, in the order in which they were made.

    records: by number of decision, what it was made from
    """
    numbers = {run.id: number for number, run in enumerate(runs, start=1)}

    def score(exploit: Exploit, member: int | None) -> float | None:
        found = _score(records.get(exploit.decision, {}), member, exploit.env_steps // interval)
        return None if found is None else objective.signed(found)

    return tuple(
        CopyMade(
            decision=each.decision,
            made_at=each.made_at,
            env_steps=each.env_steps,
            member=(member := numbers[each.run_id]),
            source=(source := None if each.source_run_id is None else numbers.get(each.source_run_id)),
            had_failed=each.had_failed,
            score=score(each, member),
            source_score=score(each, source),
            changes=_changes(each),
        )
        for each in exploits
    )


def lineage_of(runs: Sequence[TrainingRun], exploits: Sequence[Exploit], run_id: UUID) -> tuple[LineagePart, ...]:
    """The parts of training that led to a run's weights, in the order of env steps."""
    by_id = {run.id: (number, run) for number, run in enumerate(runs, start=1)}
    parts: list[LineagePart] = []
    until, current = by_id[run_id][1].env_steps, run_id
    while True:
        number = by_id[current][0]
        earlier = [
            each
            for each in exploits
            if each.run_id == current and (each.env_steps < until or (each.env_steps == until and not parts))
        ]
        if not earlier:
            parts.append(LineagePart(member=number, first_step=0, last_step=until, changes={}))
            break
        last = max(earlier, key=lambda each: each.env_steps)
        parts.append(LineagePart(member=number, first_step=last.env_steps, last_step=until, changes=_changes(last)))
        if last.source_run_id not in by_id:
            break
        until, current = last.env_steps, last.source_run_id
    return tuple(reversed(parts))


def lineage_lines(parts: Sequence[LineagePart]) -> Iterator[str]:
    """The same in words, a sentence a part."""
    for place, part in enumerate(parts):
        if place == 0:
            yield f"Member {part.member} to {part.last_step:,} env steps."
            continue
        source, changes = parts[place - 1].member, changes_in_words(pairs(part.changes))
        yield f"Member {part.member}, copied from {source} at {part.first_step:,}, to {part.last_step:,}: {changes}."


def pairs(changes: Mapping[str, ValueChange]) -> dict[str, tuple[Any, Any]]:
    """Value before and after, by dotted key."""
    return {key: (change.before, change.after) for key, change in changes.items()}


def _changes(exploit: Exploit) -> dict[str, ValueChange]:
    return {key: ValueChange(before=before, after=after) for key, (before, after) in exploit.changes.items()}


def _score(record: Mapping[str, Any], member: int | None, interval: int) -> float | None:
    """A member's score at an interval, as the record of a decision has it."""
    for each in record.get("members", ()):
        if each["number"] == member:
            return next((there["score"] for there in each["reached"] if there["interval"] == interval), None)
    return None
