"""Which config of a comparison to take, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from rlsweep.analysis.verdicts import VerdictKind
from rlsweep.analysis.wording import plural
from rlsweep.reports.asha_answer import AshaAnswer
from rlsweep.reports.comparison import Comparison
from rlsweep.reports.config_report import ConfigReport
from rlsweep.reports.population import Population
from rlsweep.reports.race_answer import RaceAnswer
from rlsweep.reports.race_text import AnswerLine
from rlsweep.runs import RunStatus

MOST_NAMED = 3
DOUBTFUL = (VerdictKind.FAILED, VerdictKind.UNSTABLE, VerdictKind.NOT_IMPROVING, VerdictKind.CLEARLY_WORSE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pick:
    """What to take.

    standing: how sure that is, as a clause; is_winner: whether it is told from all others
    risk: that a config is better by more than the tolerance, where a race states it; risk_text: the same in words
    """

    config: ConfigReport
    standing: str
    is_winner: bool
    risk: float | None = None
    risk_text: str | None = None


def pick_of(
    report: Comparison,
    race: RaceAnswer | None,
    race_lines: Sequence[AnswerLine],
    asha: AshaAnswer | None = None,
    population: Population | None = None,
) -> Pick | None:
    """What a race, ASHA or a population takes; else the winner, or the first by score where none is told.

    race, race_lines: the answer of the race, if the report is of one, and the same in words; asha: the answer of ASHA
    population: the members, whose best one is taken
    None where no run with a score is complete.
    """
    if race is not None:
        return _pick_of_race(report, race, race_lines)
    if asha is not None:
        return _pick_of_asha(report, asha)
    if population is not None:
        return _pick_of_population(report, population)
    config = choice_of(report.configs, report.winner)
    if config is None:
        return None
    is_winner = config.name == report.winner
    standing = "the winner, significantly better than every other config" if is_winner else _tie(report, config)
    return Pick(config=config, standing="; ".join([standing, *_doubts(report, config)]), is_winner=is_winner)


def choice_of(configs: Sequence[ConfigReport], winner: str | None) -> ConfigReport | None:
    """Without a race: the winner, or the first by score of the configs with a complete run. configs: best first."""
    finished = [config for config in configs if _is_finished(config)]
    return next(iter([*(config for config in finished if config.name == winner), *finished]), None)


def pick_of_run(report: Comparison, run_id: UUID) -> Pick:
    """The config of one run of the comparison, as the user chose it."""
    config = next(each for each in report.configs if any(seed.run_id == run_id for seed in each.seeds))
    is_winner = config.name == report.winner
    standing = f"the config of run {str(run_id)[:8]}"
    if config.rank is not None and len(report.configs) > 1:
        shared = "=" if config.tied_with else ""
        standing += f", rank {config.rank}{shared} of {plural(len(report.configs), 'config')}"
    return Pick(config=config, standing="; ".join([standing, *_doubts(report, config)]), is_winner=is_winner)


def _pick_of_race(report: Comparison, race: RaceAnswer, race_lines: Sequence[AnswerLine]) -> Pick | None:
    config = next((each for each in report.configs if each.name == race.take), None)
    if config is None:
        return None
    standing = "the winner of the race" if race.is_winner else "what the race takes"
    doubts = [] if race.is_decided else ["the race is not decided yet"]
    if race.as_good:
        doubts.append(f"as good, as far as its runs can tell: {_listed(race.as_good)}")
    is_stated = not any(caveat.forbids_claim for caveat in race.caveats)
    return Pick(
        config=config,
        standing="; ".join([standing, *doubts]),
        is_winner=race.is_winner,
        risk=race.risk if is_stated else None,
        risk_text=next((line.text for line in race_lines if line.heading == "RISK"), None),
    )


def _pick_of_asha(report: Comparison, asha: AshaAnswer) -> Pick | None:
    config, highest = next((each for each in report.configs if each.name == asha.take), None), asha.highest
    if config is None or highest is None:
        return None
    of = "alone" if len(highest.configs) == 1 else f"first of {plural(len(highest.configs), 'config')}"
    standing = f"{of} at rung {highest.number} of {len(asha.rungs)} ({highest.at})"
    return Pick(config=config, standing="; ".join([standing, *_doubts(report, config)]), is_winner=False)


def _pick_of_population(report: Comparison, population: Population) -> Pick | None:
    """The best member, by what it scored with its last weights."""
    run_id = next((each.run_id for each in population.members if each.number == population.best), None)
    config = next((each for each in report.configs if any(seed.run_id == run_id for seed in each.seeds)), None)
    if config is None or not _is_finished(config):
        return None
    standing = f"the best of {plural(len(population.members), 'member')} by {population.best_by}"
    return Pick(config=config, standing="; ".join([standing, *_doubts(report, config)]), is_winner=False)


def _is_finished(config: ConfigReport) -> bool:
    return config.score is not None and any(seed.status is RunStatus.COMPLETED for seed in config.seeds)


def _tie(report: Comparison, config: ConfigReport) -> str:
    if len(report.configs) == 1:
        return "the only config"
    if config.tied_with:
        return f"first by score, and not significantly better than {_listed(config.tied_with)}"
    return "first by score, with too few seeds or policy updates to be told from the others"


def _doubts(report: Comparison, config: ConfigReport) -> list[str]:
    doubts = []
    if config.verdict.kind in DOUBTFUL:
        doubts.append(f"its verdict is {config.verdict.kind}")
    waiting = sum(count for status, count in report.runs.items() if not status.is_finished)
    if waiting:
        doubts.append(f"{plural(waiting, 'run')} not finished yet")
    return doubts


def _listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b, c and 4 more`."""
    shown = list(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        shown.append(f"{len(names) - MOST_NAMED} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
