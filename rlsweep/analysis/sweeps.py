"""A whole sweep judged: figures, ranking, verdicts and signs of all its configs."""

from collections.abc import Iterable
from dataclasses import dataclass

from rlsweep.analysis.figures import ConfigFigures, config_figures
from rlsweep.analysis.ranking import Ranking, rank
from rlsweep.analysis.scores import Objective
from rlsweep.analysis.seed_record import SeedRecord
from rlsweep.analysis.signs import Sign, signs
from rlsweep.analysis.update_counts import TOO_FEW_UPDATES
from rlsweep.analysis.verdicts import Verdict, cases, verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigRecord:
    """A config and the records of its runs; `is_base` marks the one that variants are judged against, if any."""

    name: str
    is_base: bool
    seeds: tuple[SeedRecord, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigAssessment:
    """All that is said of one config; no signs where the budget was too short for any."""

    figures: ConfigFigures
    verdict: Verdict
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
                signs=signs(case.figures, case.scale) if case.figures.updates >= TOO_FEW_UPDATES else (),
            )
            for case in judged
        ),
        ranking=ranking,
    )
