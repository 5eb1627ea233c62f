"""What a sweep with ASHA says: which config to take, what that rests on, and who came to which rung."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from rlsweep.analysis.intervals import FEWEST_SEEDS
from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.rungs import rung_words
from rlsweep.analysis.wording import number, percent, plural
from rlsweep.reports.asha_record import AshaReader, states_of
from rlsweep.reports.comparison import Comparison
from rlsweep.reports.config_report import ConfigReport
from rlsweep.reports.findings import doubt_words
from rlsweep.reports.race_text import AnswerLine
from rlsweep.reports.sure_steps import SureStep, confirm_step, promote_step
from rlsweep.scheduler_records import Scheduler, SchedulerKind
from rlsweep.schedulers.asha import AshaRecord, AshaSettings, ranked
from rlsweep.store import schedulers
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep


@dataclass(frozen=True, kw_only=True, slots=True)
class RungConfig:
    """A config that came to a rung.

    score: there, mean over its seeds, in units of the objective; None where one failed on the way, or none is known
    goes_on: whether it was sent to the next rung
    """

    name: str
    score: float | None
    goes_on: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Rung:
    """A rung of the sweep.

    number: from 1, the lowest; share: of the budget; at: the same in words, such as `10,240 env steps`
    configs: that have come to it, best first
    """

    number: int
    share: float
    at: str
    configs: tuple[RungConfig, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class AshaAnswer:
    """The answer of a sweep with ASHA.

    take: the best config at the highest rung that any has come to; None before the first one
    seeds: the fewest of a config; is_over: whether nothing is begun any more
    """

    objective: str
    reduction: int
    is_over: bool
    take: str | None
    seeds: int
    rungs: tuple[Rung, ...]

    @property
    def highest(self) -> Rung | None:
        """The highest rung to which a config has come without failing."""
        found = (rung for rung in reversed(self.rungs) if rung.configs and rung.configs[0].score is not None)
        return next(found, None)


def asha_answer(database: Database, sweep: Sweep, names: Sequence[str]) -> AshaAnswer | None:
    """The answer of the sweep; None if it has no ASHA. names: of its configs, in the order of the plan."""
    scheduler = schedulers.find(database, sweep.id)
    if scheduler is None or scheduler.kind is not SchedulerKind.ASHA:
        return None
    before = None
    for before in states_of(schedulers.decisions(database, sweep.id)):  # noqa: B007 - the last one
        pass
    return _answer(scheduler, sweep, AshaReader(database, scheduler, before).read(with_stopped=True).record, names)


def _answer(scheduler: Scheduler, sweep: Sweep, record: AshaRecord, names: Sequence[str]) -> AshaAnswer:
    settings, objective = AshaSettings.from_json(scheduler.settings), Objective(scheduler.objective)
    rungs = tuple(
        Rung(
            number=place + 1,
            share=share,
            at=rung_words(sweep.budget, share),
            configs=tuple(_at_rung(record, place, objective, names)),
        )
        for place, share in enumerate(settings.rungs)
    )
    answer = AshaAnswer(
        objective=objective.value,
        reduction=settings.reduction,
        is_over=scheduler.stop is not None,
        take=None,
        seeds=min((len(runs) for runs in record.configs if runs), default=0),
        rungs=rungs,
    )
    return answer if answer.highest is None else replace(answer, take=answer.highest.configs[0].name)


def _at_rung(record: AshaRecord, rung: int, objective: Objective, names: Sequence[str]) -> Iterator[RungConfig]:
    for config, score in ranked(record, rung):
        sent = max(len(run.scores) + (run.aim is not None or run.has_failed) for run in record.configs[config])
        yield RungConfig(
            name=names[config],
            score=None if score is None or not isfinite(score) else objective.signed(score),
            goes_on=sent > rung + 1,
        )


def by_rung(configs: Sequence[ConfigReport], asha: AshaAnswer) -> tuple[ConfigReport, ...]:
    """The configs in their order, but those without a whole run by the highest rung that they came to, best first."""
    names = dict.fromkeys(config.name for rung in reversed(asha.rungs) for config in rung.configs)
    place_of = {name: place for place, name in enumerate(names)}

    def key(config: ConfigReport) -> tuple[bool, int]:
        return config.score is None, place_of.get(config.name, len(place_of)) if config.score is None else 0

    return tuple(sorted(configs, key=key))


def asha_lines(answer: AshaAnswer, judged: Comparison) -> tuple[AnswerLine, ...]:
    """The answer in words, for terminal and page alike."""
    return tuple(AnswerLine(heading=heading, text=text) for heading, text in _lines(answer, judged))


def asha_steps(answer: AshaAnswer, name: str) -> tuple[SureStep, ...]:
    """The commands that make the choice surer; none before there is one."""
    if answer.highest is None:
        return ()
    return (confirm_step(name, contenders=len(answer.highest.configs) - 1), promote_step(name))


def _lines(answer: AshaAnswer, judged: Comparison) -> Iterator[tuple[str, str]]:
    highest = answer.highest
    if highest is None:
        yield "TAKE", "No config has come to a rung yet."
        return
    of = "the only config" if len(highest.configs) == 1 else f"the best of {len(highest.configs)} configs"
    top = "the top rung" if highest is answer.rungs[-1] else f"rung {highest.number}"
    so_far = "" if answer.is_over else ", as it stands now"
    yield "TAKE", f"{answer.take}: {of} that came to {top} ({highest.at}){so_far}."
    yield "WHY", f"{'; '.join(_why(answer, highest))}."
    yield "RISK", "None is stated: the configs that wait were judged early, and may have become better than this one."
    if answer.seeds < FEWEST_SEEDS:
        yield (
            "BUT",
            f"With {plural(answer.seeds, 'seed')} a config, a difference cannot be told from chance. Check the choice: "
            f"rlsweep confirm {shlex.quote(str(judged.name))}.",
        )
    taken = next(config for config in judged.configs if config.name == answer.take)
    if doubt := doubt_words(taken.verdict.kind):
        yield "BUT", doubt
    yield "COST", _cost(answer, judged)


def _why(answer: AshaAnswer, highest: Rung) -> Iterator[str]:
    """Its score, the next best one there, and its places at the rungs below."""
    own, *others = highest.configs
    score = "unknown" if own.score is None else number(own.score)
    yield f"{answer.objective.replace('_', ' ')} {score} there (mean of {plural(answer.seeds, 'seed')})"
    following = next((config for config in others if config.score is not None), None)
    if following is not None and following.score is not None:
        yield f"next is {following.name} with {number(following.score)}"
    below = [rung for rung in answer.rungs if rung.number < highest.number]
    for rung in reversed(below):
        place = next(place for place, config in enumerate(rung.configs, start=1) if config.name == own.name)
        yield f"place {place} of {len(rung.configs)} at rung {rung.number}"


def _cost(answer: AshaAnswer, judged: Comparison) -> str:
    came = ", ".join(f"{len(rung.configs)} to rung {rung.number}" for rung in answer.rungs)
    of_grid, budget = "", judged.budget
    if budget is not None and budget.total_timesteps is not None and budget.episodes is None:
        share = judged.env_steps / (sum(judged.runs.values()) * budget.total_timesteps)
        of_grid = f", {percent(share)} of the full grid"
    configs = plural(len(judged.configs), "config")
    return f"{plural(judged.env_steps, 'env step')}{of_grid}; of {configs} came {came}."
