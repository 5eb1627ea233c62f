"""Which hyperparameters moved the score of a sweep, with the spread of that, and the belief of each config's score."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from rlsweep.analysis.slices import Scale, Slice, slices
from rlsweep.analysis.wording import listed, percent, plural
from rlsweep.config.stepped import last_value
from rlsweep.deciding.belief import Belief, believe, resolve_tolerance
from rlsweep.deciding.standing import standing_of
from rlsweep.reports.judged_sweep import JudgedSweep, judged_sweep
from rlsweep.reports.records import values_by_key
from rlsweep.scheduler_records import SchedulerKind
from rlsweep.spaces.importance import REPEATS, TREES, Column, Floats, Shares, shares
from rlsweep.store import schedulers
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep

FEWEST_CONFIGS = 12
"""Of fewer, a key that does nothing explains as much as one that does: with five keys and eight configs, half of it."""

WIDTH = 0.9
"""Share of the repetitions that a range holds."""

LIKELY = 0.9
"""Share of the repetitions in which a key must explain more than random values do, to count as one that matters."""

CONFIDENCE = 0.95
"""Of the interval of a belief."""

HOW = (
    f"fANOVA by Optuna, {REPEATS} times with {TREES} trees. Each time draws the configs anew, and their scores as the "
    "belief leaves them open, beside a key of random values, which does nothing. A range holds "
    f"{percent(WIDTH)} of the repetitions; what is missing to 100% is in combinations of keys, or is chance."
)

AT_END = " Of a key that changes while a config trains, the last value is taken."


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyImportance:
    """One hyperparameter.

    share: of the differences between believed scores that it explains alone, 0 to 1; low, high: its range
    exceeds_random: it explains more than random values do
    inseparable: other keys that change whenever this one does, so that the share may be theirs
    """

    key: str
    share: float
    low: float
    high: float
    exceeds_random: bool
    inseparable: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class BelievedScore:
    """A config's expected score, as a race believes it, with its 95% interval; in units of the objective."""

    config: str
    mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Importance:
    """What matters.

    text: which keys moved the score, or why that cannot be known
    keys: the greatest share first; none where nothing can be known
    nothing: the greatest share of random values in WIDTH of the repetitions; None without keys
    how: how the shares were computed
    beliefs: of the configs with a score, in the order of the plan
    """

    text: str
    keys: tuple[KeyImportance, ...]
    nothing: float | None
    how: str
    beliefs: tuple[BelievedScore, ...]


def importance(database: Database, sweep: Sweep, shares: Shares = shares) -> Importance:
    """Judge which keys moved the score of a sweep that has ended; the same record gives the same figures."""
    if not sweep.status.is_finished:
        return _unknown("The sweep still trains: what moved its score is said once it has ended.")
    scheduler = schedulers.find(database, sweep.id)
    if scheduler is not None and scheduler.kind is SchedulerKind.PBT:
        return _unknown(
            "Members of a population copy each other's weights, so no score shows what a key did by itself."
        )
    judged = judged_sweep(database, sweep)
    standing = standing_of(judged.settings, judged.record)
    tolerance = resolve_tolerance(judged.settings, standing)
    if tolerance is None or not any(config.full for config in standing.configs):
        return _unknown("No run has reached the end of its budget, so there is no score that a key could have moved.")
    belief = believe(judged.settings, standing, tolerance)
    scored = [place for place, config in enumerate(standing.configs) if config.full or config.rung]
    beliefs = tuple(_believed(judged, belief, scored))
    axes = slices(values_by_key([judged.configs[place] for place in scored]))
    if not axes:
        return _unknown("The configs with a score have the same hyperparameters.", beliefs)
    if len(scored) < FEWEST_CONFIGS:
        what = f"whether {axes[0].key}" if len(axes) == 1 else f"which of {len(axes)} hyperparameters"
        return _unknown(
            f"{plural(len(scored), 'config')} cannot show {what} moved the score: of fewer than {FEWEST_CONFIGS}, one "
            "that does nothing seems to matter as much as one that does.",
            beliefs,
        )
    at_end = {axis.key: [last_value(judged.configs[place].differences[axis.key]) for place in scored] for axis in axes}
    columns = [_column(axis, at_end[axis.key]) for axis in axes]
    found = shares(columns, belief.mean[scored], np.sqrt(belief.variance[scored]), belief.freedom)
    of_keys = tuple(sorted(_keys(axes, found), key=lambda each: -each.share))
    nothing = float(np.quantile(found[:, -1], (1 + WIDTH) / 2))
    how = f"{HOW}{AT_END}" if any(axis.changes for axis in axes) else HOW
    return Importance(text=_text(of_keys, nothing), keys=of_keys, nothing=nothing, how=how, beliefs=beliefs)


def _unknown(text: str, beliefs: tuple[BelievedScore, ...] = ()) -> Importance:
    return Importance(text=text, keys=(), nothing=None, how="", beliefs=beliefs)


def _believed(judged: JudgedSweep, belief: Belief, scored: Sequence[int]) -> Iterator[BelievedScore]:
    width = float(special.stdtrit(belief.freedom, (1 + CONFIDENCE) / 2)) * np.sqrt(belief.variance)
    signed = judged.objective.signed
    for place in scored:
        mean = float(belief.mean[place])
        ends = sorted(signed(float(mean + side * width[place])) for side in (-1, 1))
        yield BelievedScore(config=judged.configs[place].name, mean=signed(mean), low=ends[0], high=ends[1])


def _column(axis: Slice, values: Sequence[Any]) -> Column:
    """Numbers as they lie on the axis; categories by their place there."""
    if axis.scale is Scale.CATEGORIES:
        places = {_text_of(value): place for place, value in enumerate(axis.values)}
        return Column(values=tuple(float(places[_text_of(value)]) for value in values), is_category=True)
    numbers = np.array(values, dtype=np.float64)
    return Column(values=tuple((np.log(numbers) if axis.scale is Scale.LOG else numbers).tolist()), is_category=False)


def _text_of(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _keys(axes: Sequence[Slice], found: Floats) -> Iterator[KeyImportance]:
    more = (found > found[:, -1:]).mean(axis=0)
    for place, axis in enumerate(axes):
        low, share, high = np.quantile(found[:, place], [(1 - WIDTH) / 2, 0.5, (1 + WIDTH) / 2]).tolist()
        yield KeyImportance(
            key=axis.key,
            share=share,
            low=low,
            high=high,
            exceeds_random=bool(more[place] >= LIKELY),
            inseparable=axis.inseparable,
        )


def _text(keys: Sequence[KeyImportance], nothing: float) -> str:
    moved = [each for each in keys if each.exceeds_random]
    random = f"no more than a key of random values, which explains up to {percent(nothing)}"
    if not moved:
        return f"No hyperparameter moved the score enough to be seen: each explains {random}."
    first = moved[0]
    parts = [
        f"{first.key} moved the score most: it explains {percent(first.share)} of the differences between configs "
        f"({percent(first.low)} to {percent(first.high)})."
    ]
    if len(moved) > 1:
        parts.append(f"{listed([each.key for each in moved[1:]])} moved it too.")
    if others := [each.key for each in keys if not each.exceeds_random]:
        verb = "explains" if len(others) == 1 else "explain"
        parts.append(f"{listed(others)} {verb} {random}.")
    return " ".join(parts)
