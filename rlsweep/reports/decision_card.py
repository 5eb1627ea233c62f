"""The decision card of a sweep: what to take as things stand, why, with which risk, and what would make that surer."""

from collections.abc import Sequence
from dataclasses import dataclass

from rlsweep.analysis.intervals import Estimate
from rlsweep.analysis.wording import duration, plural
from rlsweep.deciding.records import RaceRecord, RaceSettings
from rlsweep.reports.asha_answer import AshaAnswer
from rlsweep.reports.card_stand import nothing_yet, of_asha, of_population, of_race, of_record, only_config
from rlsweep.reports.comparison import Comparison
from rlsweep.reports.findings import NextStep
from rlsweep.reports.pace import Pace
from rlsweep.reports.pick import Pick
from rlsweep.reports.population import Population
from rlsweep.reports.race_answer import RaceAnswer
from rlsweep.reports.race_text import AnswerLine
from rlsweep.reports.reference import Reference, difference, difference_words, runner_up
from rlsweep.reports.sure_steps import SureStep

FEWEST_CONFIGS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class CardStep(SureStep):
    """A command that makes the choice surer.

    seconds: that its runs take at the sweep's own pace; None where nobody knows. effort: both in words
    """

    seconds: float | None
    effort: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Against:
    """What the choice is set against.

    difference: the choice's score less this one's, by equal seeds; text: the same in words
    """

    name: str
    is_base: bool
    difference: Estimate | None
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionCard:
    """What to take as things stand.

    heading: in a few words
    take: the config; None where nothing can be taken yet
    is_final: whether nothing is left to train, as things stand
    is_winner: it is told from every other config
    is_claimed: the risk is at most what a race asks for, and nothing speaks against saying so
    risk: upper bound of the probability that a config is better by more than the tolerance; None where none is stated
    tolerance, promise: see `RaceAnswer`; in units of the objective
    lines: the card in words
    against: the base config, or the runner-up where the choice is the base config or there is none
    """

    heading: str
    take: str | None
    is_final: bool
    is_winner: bool
    is_claimed: bool
    risk: float | None
    tolerance: float | None
    promise: float | None
    lines: tuple[AnswerLine, ...]
    against: Against | None
    to_be_sure: tuple[CardStep, ...]


def decision_card(
    judged: Comparison,
    pick: Pick | None,
    *,
    race: RaceAnswer | None,
    race_lines: Sequence[AnswerLine],
    asha: AshaAnswer | None,
    population: Population | None,
    as_race: tuple[RaceSettings, RaceRecord],
    names: Sequence[str],
    pace: Pace | None,
    check: str | None,
) -> DecisionCard:
    """The card of a sweep.

    race, race_lines: the answer of its race, if it is one, and the same in words; asha: that of ASHA, if it has that
    population: its members, if it trains a population; they share no seed, so that nobody stands against the pick
    as_race: the sweep's settings and scores as a race would have them; names: of the configs there, in their order
    check: what held-out seeds show, in words
    """
    against = None if pick is None or population is not None else _against(judged, pick, race)
    if race is not None:
        stand = of_race(race, race_lines)
    elif asha is not None:
        stand = of_asha(judged, asha)
    elif pick is None:
        stand = nothing_yet(judged)
    elif population is not None:
        stand = of_population(judged, pick, population)
    elif len(judged.configs) < FEWEST_CONFIGS:
        stand = only_config(judged, pick)
    else:
        stand = of_record(judged, pick, *as_race, names)
    is_final = judged.status.is_finished if race is None else race.is_decided
    checked = () if check is None else (AnswerLine(heading="CHECK", text=check),)
    compared = () if against is None else (AnswerLine(heading="AGAINST", text=against.text),)
    return DecisionCard(
        heading="Nothing to take yet" if pick is None else f"Take {pick.config.name}{'' if is_final else ' for now'}",
        take=None if pick is None else pick.config.name,
        is_final=is_final,
        is_winner=pick is not None and pick.is_winner,
        is_claimed=stand.is_claimed,
        risk=stand.risk,
        tolerance=stand.tolerance,
        promise=stand.promise,
        lines=(*stand.lines, *compared, *checked),
        against=against,
        to_be_sure=tuple(_with_effort(step, pace) for step in stand.steps) if is_final else (),
    )


def beside_card(card: DecisionCard, steps: Sequence[NextStep]) -> tuple[NextStep, ...]:
    """The next steps of a report that its card leaves to say: no command twice."""
    said = {_what_it_does(step) for step in card.to_be_sure}
    return tuple(step for step in steps if _what_it_does(step) not in said)


def _what_it_does(step: NextStep) -> tuple[str, ...]:
    """The program, its command and the sweep: a step that the card has is there with a cap, or with its effort."""
    return tuple(step.command.split()[:3])


def _against(judged: Comparison, pick: Pick, race: RaceAnswer | None) -> Against | None:
    """The base config where that is not the pick, else the runner-up: that of the race, or the next best by score."""
    others = [config for config in judged.configs if config is not pick.config and config.score is not None]
    found = next((config for config in others if config.is_base), None)
    if found is None and race is not None and race.runner_up is not None:
        found = next((config for config in others if config.name == race.runner_up.name), None)
    found = found or runner_up(judged.configs, pick.config.name, judged.scored_by.objective)
    if found is None:
        return None
    by_seed = difference(pick.config, found)
    text = "no seed that both have" if by_seed is None else difference_words(by_seed)
    words = Reference(name=found.name, is_base=found.is_base).words
    return Against(name=found.name, is_base=found.is_base, difference=by_seed, text=f"{words}: {text}.")


def _with_effort(step: SureStep, pace: Pace | None) -> CardStep:
    seconds = None if pace is None or step.runs is None else pace.seconds(step.runs)
    about = "at most" if step.is_bound else "about"
    parts = [] if step.runs is None else [f"{about} {plural(step.runs, 'run')}"]
    if seconds is not None:
        parts.append(duration(seconds))
    return CardStep(
        text=step.text,
        command=step.command,
        runs=step.runs,
        is_bound=step.is_bound,
        seconds=seconds,
        effort=", ".join(parts),
    )
