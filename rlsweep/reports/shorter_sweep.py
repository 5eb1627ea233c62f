"""Whether a shorter sweep would have said the same, in words and as ranks over the budget."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.scores import definition
from rlsweep.analysis.shorter import CLOSING_FROM, FARTHEST, WIDTH, ClosingIn, Shorter, shorter
from rlsweep.analysis.update_counts import GOOD_UPDATES
from rlsweep.analysis.wording import number, percent, plural
from rlsweep.config.differences import flat_record
from rlsweep.reports.records import ConfigRuns, by_config, seed_records
from rlsweep.runs import Budget, RunStatus
from rlsweep.store import races, schedulers, training_runs
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep

SHORT_ENOUGH = 0.85
"""Share of the budget from which on a shorter sweep would have saved too little to be named."""

SCHEDULE = "linear_"
"""Begins the value of a hyperparameter that falls over the whole budget."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RankedConfig:
    """One config along the shares.

    places: from 1, all different, by group and then by mean score; ranks: those that share one do not differ
    significantly
    """

    name: str
    is_base: bool
    places: tuple[int, ...]
    ranks: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ShorterSweep:
    """What less of the budget would have said.

    sentences: at least one; flag: of a cheaper sweep that would have said the same, None where none would
    shares, env_steps: of the budget, where the ranks stand
    scored_by: what the scores are, in words
    configs: in their order at the end of the budget; none where the sentences say why
    """

    sentences: tuple[str, ...]
    flag: str | None
    shares: tuple[float, ...]
    env_steps: tuple[float, ...]
    scored_by: str
    configs: tuple[RankedConfig, ...]


def shorter_sweep(database: Database, sweep: Sweep) -> ShorterSweep:
    """Rank the configs of a sweep that has ended at shares of its budget, by their whole runs."""
    if not sweep.status.is_finished:
        return _nothing("The sweep still trains: whether less would do is said once it has ended.")
    recorded = by_config(training_runs.of_sweep(database, sweep.id))
    decider = races.find(database, sweep.id) or schedulers.find(database, sweep.id)
    objective = Objective.EVALUATION_REWARD if decider is None else Objective(decider.objective)
    whole = [[run for run in config.runs if run.status is RunStatus.COMPLETED] for config in recorded]
    records = seed_records(database, [run for runs in whole for run in runs])
    found = shorter([[records[run.id] for run in runs] for runs in whole], objective)
    if found is None:
        needed = "a whole run" if max(map(len, whole), default=0) < 2 else "two whole runs"
        return _nothing(f"Fewer than two configs have {needed} with a score, so there is no order to look back on.")
    if len(found.steps) < 2:
        return _nothing("The runs were scored at the end of their budget only, so there is no order to look back on.")
    if max(map(len, whole)) < 2:
        return _nothing("With one seed a config, no config is told from another at any share of the budget.")
    return ShorterSweep(
        sentences=tuple(_sentences(found, recorded, sweep.budget)),
        flag=_flag(found, sweep.budget),
        shares=tuple(step.share for step in found.steps),
        env_steps=tuple(step.env_steps for step in found.steps),
        scored_by=f"{definition(objective, found.source)} up to each share of the budget",
        configs=tuple(_ranked(found, recorded, config) for config in found.steps[-1].order),
    )


def _nothing(text: str) -> ShorterSweep:
    return ShorterSweep(sentences=(text,), flag=None, shares=(), env_steps=(), scored_by="", configs=())


def _ranked(found: Shorter, recorded: list[ConfigRuns], config: int) -> RankedConfig:
    return RankedConfig(
        name=recorded[config].name,
        is_base=recorded[config].is_base,
        places=tuple(step.order.index(config) + 1 for step in found.steps),
        ranks=tuple(step.ranks[config] for step in found.steps),
    )


def _sentences(found: Shorter, recorded: list[ConfigRuns], budget: Budget) -> Iterator[str]:
    last = found.steps[-1]
    if len(last.groups) == 1:
        yield (
            "No config differs significantly from another at the end of the budget, so there is no order that a "
            "shorter sweep could have shown."
        )
    else:
        yield from _unchanged(found, recorded, budget)
    ranked = set(last.order)
    if left_out := sum(place not in ranked for place in range(len(recorded))):
        verb = "is" if left_out == 1 else "are"
        yield f"{plural(left_out, 'config')} with fewer than two whole runs {verb} left out."
    if found.closing_in is not None:
        yield _closing(found.closing_in, found, recorded)


def _unchanged(found: Shorter, recorded: list[ConfigRuns], budget: Budget) -> Iterator[str]:
    where = {step.share: f"{number(step.env_steps)} env steps ({percent(step.share)})" for step in found.steps}
    top = [recorded[config].name for config in found.steps[-1].groups[0]]
    best = (
        f"{top[0]} has held rank 1 alone"
        if len(top) == 1
        else f"The same {plural(len(top), 'config')} have held rank 1"
    )
    if found.ranks_since <= SHORT_ENOUGH:
        shared = "" if len(top) == 1 else f" {plural(len(top), 'config')} share rank 1."
        yield f"All ranks are unchanged since {where[found.ranks_since]}.{shared}"
    elif found.top_since <= SHORT_ENOUGH:
        yield f"{best} since {where[found.top_since]}; ranks below still changed after that."
    else:
        yield "Rank 1 still changed after 80% of the budget: a shorter sweep would have said less."
    flag = _flag(found, budget)
    if flag is not None:
        same = "said the same" if found.ranks_since <= SHORT_ENOUGH else "had the same rank 1"
        yield f"A sweep with {flag} would have {same}; the next one can be cheaper.{_schedules(recorded)}"


def _schedules(recorded: list[ConfigRuns]) -> str:
    """What a shorter budget changes beside the length, if a hyperparameter follows a schedule."""
    values = [value for config in recorded for value in flat_record(config.runs[0].config["agent"]).values()]
    if not any(isinstance(value, str) and value.startswith(SCHEDULE) for value in values):
        return ""
    return " Schedules would end earlier there, so that its runs would differ from these."


def _flag(found: Shorter, budget: Budget) -> str | None:
    """The budget of the shortest sweep that would have said the same; None where it would save too little.

    It has policy updates enough that a report does not call it too short.
    """
    since = found.ranks_since if found.ranks_since <= SHORT_ENOUGH else found.top_since
    steps = [step for step in found.steps if step.share >= since and step.updates >= GOOD_UPDATES]
    if len(found.steps[-1].groups) == 1 or not steps or steps[0].share > SHORT_ENOUGH:
        return None
    if budget.total_timesteps is not None:
        return f"--total-timesteps {_rounded_up(steps[0].env_steps)}"
    assert budget.episodes is not None
    return f"--episodes {_rounded_up(steps[0].share * budget.episodes)}"


def _rounded_up(amount: float) -> int:
    """To two digits."""
    unit = 10 ** max(0, math.floor(math.log10(max(amount, 1))) - 1)
    return int(math.ceil(amount / unit - 1e-9) * unit)


def _closing(found: ClosingIn, of: Shorter, recorded: list[ConfigRuns]) -> str:
    config, whole = recorded[found.config], of.steps[-1].env_steps
    name = f"The base config {config.name}" if config.is_base else config.name
    low = "now" if found.low <= 1 else number(found.low * whole)
    high = number(found.high * whole) if math.isfinite(found.high) else f"more than {number(FARTHEST * whole)}"
    crossing = f"{number(found.at * whole)} env steps ({low} to {high}, {percent(WIDTH)})"
    return (
        f"{name} is closing in on {recorded[found.leader].name} and may cross it at about {crossing}, if both go on as "
        f"they did since {percent(CLOSING_FROM)} of the budget."
    )
