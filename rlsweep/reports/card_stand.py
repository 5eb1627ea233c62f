"""What supports the choice of a sweep: the answer of its race, or its scores, judged as a race judges them."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rlsweep.analysis.intervals import dominance
from rlsweep.analysis.update_counts import TOO_FEW_UPDATES
from rlsweep.deciding.caveats import FEWEST_CONFIGS
from rlsweep.deciding.choice import judge_choice, runs_to_settle
from rlsweep.deciding.records import RaceRecord, RaceSettings
from rlsweep.race_records import SEEDS_OF_GRID
from rlsweep.reports.asha_answer import AshaAnswer, asha_lines, asha_steps
from rlsweep.reports.comparison import Comparison
from rlsweep.reports.config_report import ConfigReport
from rlsweep.reports.pick import Pick
from rlsweep.reports.population import Population
from rlsweep.reports.race_answer import RaceAnswer
from rlsweep.reports.race_caveats import FEW_UPDATES, ShownCaveat, shown_caveats
from rlsweep.reports.race_text import AnswerLine, estimate_words, risk_words, rival_words
from rlsweep.reports.reference import counted_scores, runner_up
from rlsweep.reports.sure_steps import SureStep, confirm_step, promote_step, race_step
from rlsweep.runs import RunStatus

USUAL_CAPS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Caps of a race to choose from, as shares of every config with five seeds; without a flag it has the first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stand:
    """What a race's answer, or a sweep's record, says of the choice."""

    lines: tuple[AnswerLine, ...]
    steps: tuple[SureStep, ...]
    is_claimed: bool = False
    risk: float | None = None
    tolerance: float | None = None
    promise: float | None = None


def of_race(race: RaceAnswer, lines: Sequence[AnswerLine]) -> Stand:
    """The answer of a race, which has its own words and commands."""
    is_stated = not any(caveat.forbids_claim for caveat in race.caveats)
    return Stand(
        lines=tuple(lines),
        steps=race.to_be_sure,
        is_claimed=race.is_claimed,
        risk=race.risk if is_stated else None,
        tolerance=race.tolerance,
        promise=race.promise if is_stated else None,
    )


def of_asha(judged: Comparison, asha: AshaAnswer) -> Stand:
    """The answer of ASHA, which states no risk."""
    return Stand(lines=asha_lines(asha, judged), steps=asha_steps(asha, str(judged.name)))


def of_population(judged: Comparison, pick: Pick, population: Population) -> Stand:
    """The best member of a population, which states no risk."""
    lines = (
        AnswerLine(
            heading="TAKE", text=f"{pick.config.name}: {pick.standing}. Its config is the schedule that led there."
        ),
        AnswerLine(
            heading="RISK",
            text=f"None is stated: the {len(population.members)} members have one seed each, and copied one another.",
        ),
    )
    name = str(judged.name)
    return Stand(lines=lines, steps=(confirm_step(name, contenders=0), promote_step(name)))


def nothing_yet(judged: Comparison) -> Stand:
    """No run with a score is complete."""
    leading = next((config for config in judged.configs if config.score is not None), None)
    so_far = ""
    if leading is not None:
        so_far = f" So far {leading.name} scores best: {estimate_words(leading.score_estimate)}."
    steps = []
    name = str(judged.name)
    waiting = sum(judged.runs.get(status, 0) for status in (RunStatus.STOPPED, RunStatus.PAUSED))
    failed = judged.runs.get(RunStatus.FAILED, 0)
    if waiting:
        steps.append(
            SureStep(text="Train the rest of its runs", command=f"rlsweep resume {shlex.quote(name)}", runs=waiting)
        )
    if failed:
        steps.append(SureStep(text="Run what failed again", command=f"rlsweep retry {shlex.quote(name)}", runs=failed))
    return Stand(lines=(AnswerLine(heading="TAKE", text=f"No run is complete yet.{so_far}"),), steps=tuple(steps))


def only_config(judged: Comparison, pick: Pick) -> Stand:
    """One config: its score is all there is to say."""
    score = estimate_words(pick.config.score_estimate)
    text = (
        f"{pick.config.name} is the only config, so that nothing was compared: {judged.scored_by.definition} {score}."
    )
    return Stand(
        lines=(AnswerLine(heading="TAKE", text=text),),
        steps=(confirm_step(str(judged.name), contenders=0), promote_step(str(judged.name))),
    )


def of_record(
    judged: Comparison, pick: Pick, settings: RaceSettings, record: RaceRecord, names: Sequence[str]
) -> Stand:
    """What the scores on record support, by the belief and the risk that races use."""
    choice = list(names).index(pick.config.name)
    decision = judge_choice(settings, record, choice)
    assert decision is not None  # the pick has a complete run with a score
    own, others = tuple(_own_caveats(judged, record)), shown_caveats(record, decision, names)
    caveats = (*own, *others)
    is_forbidden = any(caveat.forbids_claim for caveat in caveats)
    is_safe = decision.risk is not None and decision.risk <= 1 - settings.confidence
    is_claimed = is_safe and not is_forbidden and _whole(record, choice) >= settings.fewest_seeds
    risk = risk_words(
        decision.risk,
        decision.tolerance,
        decision.promise,
        confidence=settings.confidence,
        is_claimed=is_claimed,
        is_forbidden=is_forbidden,
    )
    of_default = "" if is_forbidden else " The tolerance is a tenth of the way from the start to the best config."
    steps = []
    if not is_claimed and _helps_to_race(judged, others):
        steps.append(_race_step(judged, settings, record, choice))
    if not _has_few_updates(judged):
        contenders = len(pick.config.tied_with)
        steps += [confirm_step(str(judged.name), contenders=contenders), promote_step(str(judged.name))]
    return Stand(
        lines=(
            AnswerLine(heading="TAKE", text=f"{pick.config.name}: {pick.standing}."),
            AnswerLine(heading="WHY", text=f"{'; '.join(_why(judged, pick.config))}."),
            AnswerLine(heading="RISK", text=f"{risk}{of_default}"),
            *(AnswerLine(heading="BUT", text=caveat.text) for caveat in caveats),
        ),
        steps=tuple(steps),
        is_claimed=is_claimed,
        risk=None if is_forbidden else decision.risk,
        tolerance=decision.tolerance,
        promise=None if is_forbidden else decision.promise,
    )


def _own_caveats(judged: Comparison, record: RaceRecord) -> Iterator[ShownCaveat]:
    """What a race cannot meet, for it trains second seeds and whole budgets before it claims anything."""
    if _has_few_updates(judged):
        yield FEW_UPDATES
    elif _has_one_seed(record):
        yield ShownCaveat(
            text="With one seed a config, a difference cannot be told from chance. Train more seeds.",
            forbids_claim=True,
        )


def _has_few_updates(judged: Comparison) -> bool:
    return all(config.updates < TOO_FEW_UPDATES for config in judged.configs)


def _has_one_seed(record: RaceRecord) -> bool:
    """Whether no config has two whole runs, so that nothing is known of the spread over seeds."""
    return all(_whole(record, config) < 2 for config in range(len(record.scores)))


def _whole(record: RaceRecord, config: int) -> int:
    """How many runs of the config have reached the end of their budget."""
    return sum(seed.full is not None for seed in record.scores[config])


def _helps_to_race(judged: Comparison, caveats: Sequence[ShownCaveat]) -> bool:
    """Whether more seeds may lead to a claim."""
    is_forbidden = any(caveat.forbids_claim for caveat in caveats) or _has_few_updates(judged)
    return not is_forbidden and len(judged.configs) >= FEWEST_CONFIGS


def _race_step(judged: Comparison, settings: RaceSettings, record: RaceRecord, choice: int) -> SureStep:
    """A race that goes on from these runs, with the least usual cap that leaves room for what would settle it."""
    runs = None if _has_one_seed(record) else runs_to_settle(settings, record, choice)
    grid, spent = SEEDS_OF_GRID * len(record.scores), record.spent / settings.run_cost
    needed = spent + (len(record.scores) if runs is None else runs)
    cap = next((cap for cap in USUAL_CAPS if cap * grid >= needed), USUAL_CAPS[-1])
    shown = None if cap == USUAL_CAPS[0] else cap
    return race_step(str(judged.name), cap=shown, to_settle=runs, room=cap * grid - spent)


def _why(judged: Comparison, config: ConfigReport) -> Iterator[str]:
    """Its score, and those of the next best config and of the base config."""
    yield f"{judged.scored_by.definition}: {estimate_words(config.score_estimate)}"
    following = runner_up(judged.configs, config.name, judged.scored_by.objective)
    base = next((other for other in judged.configs if other.is_base and other.score is not None), None)
    if following is not None:
        yield f"next is {_rival(judged, config, following)}"
    if base is not None and base is not config and base is not following:
        yield f"the base config is {_rival(judged, config, base)}"


def _rival(judged: Comparison, config: ConfigReport, rival: ConfigReport) -> str:
    signed = judged.scored_by.objective.signed
    ours, theirs = ([signed(score) for score in counted_scores(each).values()] for each in (config, rival))
    beats = dominance(ours, theirs)
    assert beats is not None  # both have a score
    return rival_words(rival.name, estimate_words(rival.score_estimate), beats.probability)
