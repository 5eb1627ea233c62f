"""What more training would buy: the chance that an answer becomes safe, by minutes, for three ways to go on."""

import math
import shlex
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.wording import duration, fine_percent, number, percent, plural
from rlsweep.deciding.prospects import (
    DRAWS,
    LONGER,
    SPREADS,
    Prospect,
    freedom_of,
    kept_configs,
    prospect_of_race,
    prospect_of_seeds,
)
from rlsweep.deciding.race import decide
from rlsweep.deciding.records import Decision
from rlsweep.race_records import SEEDS_OF_GRID
from rlsweep.reports.commands import race_files
from rlsweep.reports.findings import NextStep
from rlsweep.reports.judged_sweep import JudgedSweep, judged_sweep
from rlsweep.reports.race_caveats import FEW_UPDATES, shown_caveats
from rlsweep.scheduler_records import SchedulerKind
from rlsweep.store import schedulers
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep

_WHY_UNKNOWN = {
    SchedulerKind.ASHA: "A scheduler chose how far each config trained",
    SchedulerKind.PBT: "The members of a population copied one another",
}
LIKELY = 0.8
"""Chance of a safe answer at which a way to go on is quoted."""

FEWEST_FREEDOM = 3
"""Degrees of freedom below which nothing is said of the scatter over seeds: as three configs with two seeds have."""

CAP_STEP = 0.05
"""A command's cap is rounded up to a multiple of this, so that it can be read."""

HOW = (
    f"Simulated {SPREADS * DRAWS} times from the scores on record and their spread over seeds, by the rules of a race, "
    "which ends once the runs on its other slots have ended. "
    "A band spans the chances with seeds that scatter as much, or as little, as the record allows. "
    "Times are at the speed of this sweep."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class WayOn:
    """One way to go on.

    name: a few words; text: what it brings, in a sentence; command: to do it, up to the time that the text names
    seconds: wall time, ascending; chance: of a safe answer by then; low, high: its band
    """

    name: str
    text: str
    command: str
    seconds: tuple[float, ...]
    chance: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Prospects:
    """What more training would buy.

    text: how safe the answer is now, or why nothing can be said of more training
    ways: the ways to go on; none where nothing can be said, or the answer is safe already
    next_step: what to do where nothing can be said; None where there is nothing
    how: how the chances were computed
    """

    text: str
    ways: tuple[WayOn, ...]
    next_step: NextStep | None
    how: str


def prospects(database: Database, sweep: Sweep) -> Prospects:
    """Forecast what more training of a sweep's configs would buy; the same record gives the same figures."""
    if not sweep.status.is_finished:
        return _nothing("The sweep still trains: what more of it would buy is said once it has ended.")
    if (scheduler := schedulers.find(database, sweep.id)) is not None:
        step = NextStep(text="Check the choice on held-out seeds", command=f"rlsweep confirm {_name(sweep)}")
        return _nothing(f"{_WHY_UNKNOWN[scheduler.kind]}, so no chance of more training is stated.", step)
    judged = judged_sweep(database, sweep)
    if not any(each.full is not None for seeds in judged.record.scores for each in seeds):
        return _nothing("No run has reached the end of its budget, so nothing can be said of more training.")
    now = decide(replace(judged.settings, cap=0.0), judged.record, free=0)
    go_on = NextStep(text="Race its configs, with more seeds where they help", command=f"rlsweep race {_name(sweep)}")
    caveats = shown_caveats(judged.record, now, [config.name for config in judged.configs])
    own = (FEW_UPDATES,) if judged.has_few_updates else ()
    forbidding = next((caveat.text for caveat in (*own, *caveats) if caveat.forbids_claim), None)
    if forbidding is not None:
        return _nothing(f"What more training would buy cannot be said. {forbidding}")
    if freedom_of(judged.record) < FEWEST_FREEDOM:
        return _nothing("Too few configs have a second seed to show how seeds scatter, so no chance is stated.", go_on)
    assert now.risk is not None
    if is_safe(now, judged):
        return _nothing(
            f"The answer is safe: the risk that a config is better by more than {_tolerance(now)} is at most "
            f"{percent(1 - judged.settings.confidence)}. More training would not change it."
        )
    text = (
        f"The risk that a config is better by more than {_tolerance(now)} is {fine_percent(now.risk)} now; safe is "
        f"{percent(1 - judged.settings.confidence)} or less."
    )
    return Prospects(text=text, ways=_ways(sweep, judged), next_step=None, how=HOW)


def is_safe(now: Decision, judged: JudgedSweep) -> bool:
    """Whether the risk is small enough, and the leader has seeds enough."""
    assert now.leader is not None
    assert now.risk is not None
    seeds = sum(each.full is not None for each in judged.record.scores[now.leader])
    return now.may_claim and now.risk <= 1 - judged.settings.confidence and seeds >= judged.settings.fewest_seeds


def _nothing(text: str, next_step: NextStep | None = None) -> Prospects:
    return Prospects(text=text, ways=(), next_step=next_step, how="")


def _ways(sweep: Sweep, judged: JudgedSweep) -> tuple[WayOn, ...]:
    settings, record = judged.settings, judged.record
    configs = len(record.scores)
    kept = kept_configs(settings, record)
    assert judged.pace is not None  # a run is complete
    slots = judged.pace.slots
    fewer = "" if len(kept) == configs else f"{len(kept)} of {configs}, without those that are clearly worse"
    anew = []
    with ThreadPoolExecutor() as pool:  # NumPy computes outside of Python's lock
        going_on = pool.submit(prospect_of_seeds, settings, record, slots=slots)
        for name, what, chosen, budgets in (
            ("Fewer configs", fewer, kept, 1.0),
            ("A longer budget", f"{LONGER:g} times, if curves go on as they slow down now", range(configs), LONGER),
        ):
            files = _files(sweep, judged, chosen, budgets)
            if not what or files is None:
                continue
            found = pool.submit(prospect_of_race, settings, record, kept=chosen, slots=slots, budgets=budgets)
            anew.append((name, what, files, len(chosen) * budgets * settings.run_cost, budgets, found))
    seeds = going_on.result()
    cap = _cap(record.spent + seeds.env_steps[_quoted(seeds)], configs * settings.run_cost)
    command = f"rlsweep race {_name(sweep)}{cap}"
    ways = [_way("More seeds", "where they help; what is on record counts", seeds, judged, command)]
    for name, what, files, whole, budgets, found in anew:
        race = found.result()
        cap = _cap(race.env_steps[_quoted(race)], whole)
        ways.append(_way(name, f"{what}, raced anew", race, judged, files + cap, budgets=budgets))
    return tuple(ways)


def _way(name: str, what: str, found: Prospect, judged: JudgedSweep, command: str, *, budgets: float = 1.0) -> WayOn:
    assert judged.pace is not None  # a run is complete
    seconds = tuple(budgets * judged.pace.seconds(runs) for runs in found.runs)
    at = _quoted(found)
    band = f"{percent(found.low[at])} to {percent(found.high[at])}"
    text = (
        f"{name} ({what}): {percent(found.chance[at])} ({band}) after about {duration(_rounded(seconds[at]))}, "
        f"{plural(found.runs[at], 'run')}."
    )
    return WayOn(
        name=name, text=text, command=command, seconds=seconds, chance=found.chance, low=found.low, high=found.high
    )


def _quoted(found: Prospect) -> int:
    """The first place where a safe answer is likely; else the first of the highest chance, the last where all are 0."""
    chances = found.chance
    best = chances.index(max(chances)) if any(chances) else len(chances) - 1
    return next((place for place, chance in enumerate(chances) if chance >= LIKELY), best)


def _rounded(seconds: float) -> float:
    """To two digits: a forecast is no finer."""
    unit = 10 ** max(0, math.floor(math.log10(max(seconds, 1))) - 1)
    minute = 60 if seconds >= 600 else unit
    return round(seconds / minute) * minute


def _cap(env_steps: float, all_once: float) -> str:
    share = math.ceil(env_steps / (SEEDS_OF_GRID * all_once) / CAP_STEP - 1e-9) * CAP_STEP
    return f" --cap {max(share, 1 / SEEDS_OF_GRID):.4g}"


def _tolerance(now: Decision) -> str:
    assert now.tolerance is not None
    return number(now.tolerance)


def _files(sweep: Sweep, judged: JudgedSweep, chosen: Sequence[int], budgets: float) -> str | None:
    """A race of these configs anew; None where a config is in no file."""
    runs = [judged.configs[place].runs[0] for place in chosen]
    command = race_files(runs, sweep, budgets=budgets, is_part=len(runs) < len(judged.configs))
    if command is None:
        return None
    if judged.objective is not Objective.EVALUATION_REWARD:
        command += f" --objective {judged.objective}"
    tolerance = judged.settings.tolerance
    return command if tolerance.is_share else f"{command} --tolerance {tolerance.value:g}"


def _name(sweep: Sweep) -> str:
    return shlex.quote(sweep.name)
