"""A whole sweep judged: figures, ranking, verdicts and signs of all its configs."""

from collections.abc import Iterable
from dataclasses import dataclass

from rlsweep.analysis.figures import ConfigFigures, config_figures
from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.ranking import Ranking, rank
from rlsweep.analysis.seed_record import SeedRecord
from rlsweep.analysis.signs import Sign, signs
from rlsweep.analysis.update_counts import TOO_FEW_UPDATES
from rlsweep.analysis.verdicts import Case, Verdict, cases, verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigRecord:
    """A config and the records of its runs; `is_base` marks the one that variants are judged against, if any."""

    name: str
    is_base: bool
    seeds: tuple[SeedRecord, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigAssessment:
    """All that is said of one config; no signs where the budget was too short for any.

    is_dead: it never left the starting level
    """

    figures: ConfigFigures
    verdict: Verdict
    is_dead: bool
    signs: tuple[Sign, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepAssessment:
    """The configs in the order given, and how they stand to each other."""

    configs: tuple[ConfigAssessment, ...]
    ranking: Ranking


def assess(records: Iterable[ConfigRecord], objective: Objective = Objective.EVALUATION_REWARD) -> SweepAssessment:
    """Judge a sweep by its objective; no record is held on to."""
    names, figures, base = [], [], None
    for index, record in enumerate(records):
        names.append(record.name)
        figures.append(config_figures(record.seeds, objective))
        base = index if record.is_base and base is None else base
    ranking = rank(figures, objective)
    judged = cases(figures, names, ranking, base)
    return SweepAssessment(
        configs=tuple(
            ConfigAssessment(
                figures=case.figures,
                verdict=verdict(case),
                is_dead=case.is_dead,
                signs=_signs(case),
            )
            for case in judged
        ),
        ranking=ranking,
    )


def _signs(case: Case) -> tuple[Sign, ...]:
    if case.figures.updates < TOO_FEW_UPDATES:
        return ()
    return signs(case.figures, case.scale, is_dead=case.is_dead)
