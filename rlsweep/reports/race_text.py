"""The answer of a race in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from rlsweep.analysis.intervals import Estimate
from rlsweep.analysis.wording import duration, fine_percent, number, percent, plural
from rlsweep.race_records import Statistic
from rlsweep.reports.race_answer import RaceAnswer, Rival
from rlsweep.reports.race_line import STOPS


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerLine:
    """A part of an answer: its heading, and a sentence or two."""

    heading: str
    text: str


def answer_lines(answer: RaceAnswer) -> tuple[AnswerLine, ...]:
    """The answer in words, for terminal and page alike."""
    return tuple(AnswerLine(heading=heading, text=text) for heading, text in _lines(answer))


def _lines(answer: RaceAnswer) -> Iterator[tuple[str, str]]:
    if answer.take is None:
        yield "TAKE", "No config has a whole run yet."
        yield from _drawn(answer)
        yield "COST", _cost(answer)
        return
    yield "TAKE", f"{answer.take}{_verdict(answer)}."
    yield "WHY", _why(answer)
    yield "RISK", _risk(answer)
    for caveat in answer.caveats:
        yield "BUT", caveat.text
    yield from _drawn(answer)
    yield "COST", _cost(answer)
    if answer.as_good:
        yield "AS GOOD", f"As far as these runs can tell: {', '.join(answer.as_good)}."


def _verdict(answer: RaceAnswer) -> str:
    if answer.is_winner:
        return ": it is the winner"
    if not answer.is_decided:
        return ", as the race stands now"
    if answer.is_claimed:
        return ""
    return ", at a risk that cannot be stated" if _is_forbidden(answer) else ", with the risk below"


def _why(answer: RaceAnswer) -> str:
    parts = [f"{answer.objective.replace('_', ' ')} {_score(answer, answer.take, answer.score)}"]
    if answer.runner_up is not None:
        parts.append(f"next is {_rival(answer, answer.runner_up)}")
    if answer.base is not None and answer.base != answer.runner_up:
        parts.append(f"the base config is {_rival(answer, answer.base)}")
    return f"{'; '.join(parts)}."


def estimate_words(score: Estimate | None) -> str:
    """`0.81 (95% 0.78 to 0.84, 3 seeds)`."""
    if score is None:
        return "unknown"
    seeds = plural(score.seeds, "seed")
    if score.interval is None:
        return f"{number(score.mean)} ({seeds})"
    return f"{number(score.mean)} (95% {number(score.interval.low)} to {number(score.interval.high)}, {seeds})"


def rival_words(name: str, score: str, pairs: float) -> str:
    """A config beside the one to take. score: in words; pairs: share of pairs of seeds in which it is beaten."""
    return f"{name} with {score}, beaten in {percent(pairs)} of pairs of seeds"


def risk_words(
    risk: float | None,
    tolerance: float | None,
    promise: float | None,
    *,
    confidence: float,
    is_claimed: bool,
    is_forbidden: bool,
) -> str:
    """The risk in a sentence. is_forbidden: a caveat stands against saying it."""
    if risk is None or tolerance is None or promise is None:
        return "Unknown before the first whole runs."
    if is_claimed:
        return f"At most {percent(1 - confidence)} that a config is better by more than {number(tolerance)}."
    if is_forbidden:
        return "None is stated, for the reason below."
    return (
        f"{fine_percent(risk)} that a config is better by more than {number(tolerance)}; {percent(confidence)} sure "
        f"that none is by more than {number(promise)}."
    )


def _score(answer: RaceAnswer, name: str | None, score: Estimate | None) -> str:
    """What a config's seeds show: their mean with its interval, or their median."""
    if answer.over_seeds == Statistic.MEDIAN and score is not None:
        median = next((config.belief for config in answer.configs if config.name == name), None)
        return "unknown" if median is None else f"{number(median)} (median of {plural(score.seeds, 'seed')})"
    return estimate_words(score)


def _rival(answer: RaceAnswer, rival: Rival) -> str:
    return rival_words(rival.name, _score(answer, rival.name, rival.score), rival.pairs)


def _risk(answer: RaceAnswer) -> str:
    return risk_words(
        answer.risk,
        answer.tolerance,
        answer.promise,
        confidence=answer.confidence,
        is_claimed=answer.is_claimed,
        is_forbidden=_is_forbidden(answer),
    )


def _is_forbidden(answer: RaceAnswer) -> bool:
    """Whether a caveat stands against saying a risk."""
    return any(caveat.forbids_claim for caveat in answer.caveats)


def _drawn(answer: RaceAnswer) -> Iterator[tuple[str, str]]:
    """How many configs a race has that draws some while it runs."""
    if answer.planned_configs is None:
        return
    drawn, to_come = len(answer.configs), answer.planned_configs - len(answer.configs)
    if to_come <= 0:
        yield "DRAWN", f"All {plural(drawn, 'config')}."
    elif answer.is_decided:
        yield "DRAWN", f"{drawn} of {plural(answer.planned_configs, 'config')}; with a larger cap it draws the others."
    else:
        yield "DRAWN", f"{drawn} of {plural(answer.planned_configs, 'config')} so far."


def _cost(answer: RaceAnswer) -> str:
    cost = answer.cost
    share = percent(cost.env_steps / cost.grid_env_steps) if cost.grid_env_steps else "–"
    ended = "" if answer.stop is None else f" It ended because {STOPS[answer.stop]}."
    return (
        f"{plural(cost.runs, 'run')}, {number(cost.env_steps)} env steps, {duration(cost.seconds)}: {share} of "
        f"{plural(cost.grid_runs, 'run')} of the full grid.{ended}"
    )
