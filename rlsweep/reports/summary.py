"""The report of a sweep: figures and verdict of each config, findings, next steps."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from rlsweep.analysis.bounds import bounds_of
from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.ranking import Ranking
from rlsweep.analysis.slices import slices
from rlsweep.analysis.sweeps import SweepAssessment, assess
from rlsweep.jsonable import jsonable
from rlsweep.reports.asha_answer import AshaAnswer, asha_answer, by_rung
from rlsweep.reports.comparison import Comparison, FailedRun, ScoredBy
from rlsweep.reports.config_report import config_reports
from rlsweep.reports.confirmation import Confirmation, check_words, confirmation
from rlsweep.reports.decision_card import DecisionCard, beside_card, decision_card
from rlsweep.reports.diagnosis import HealthWatch
from rlsweep.reports.findings import findings
from rlsweep.reports.next_steps import Judged, next_steps
from rlsweep.reports.pace import pace_of
from rlsweep.reports.pick import choice_of, pick_of
from rlsweep.reports.population import Population, population_of
from rlsweep.reports.race_answer import RaceAnswer, race_answer
from rlsweep.reports.race_text import AnswerLine, answer_lines
from rlsweep.reports.records import ConfigRuns, by_config, config_records, values_by_key
from rlsweep.reports.reference import reference_of, with_differences
from rlsweep.reports.search_space import ShownSpace, shown_space
from rlsweep.reports.sweep_record import as_race
from rlsweep.runs import Budget, RunStatus, TrainingRun
from rlsweep.store import races, sweeps, training_runs
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep, SweepStatus

NO_ERROR = "no error was recorded"


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepReport(Comparison):
    """The report of a sweep.

    race: the answer, if it is a race; race_lines: the same in words
    asha: the answer of ASHA, if it has that
    confirmation: what it shows of another sweep's choice, if it was made to check that
    card: what to take as things stand, why, with which risk, and what would make that surer
    population: its members and copies, if it trains a population
    search_space: from what its configs were drawn; None where they were not
    """

    id: UUID
    name: str
    mode: str
    budget: Budget
    environment: str
    created_at: datetime
    race: RaceAnswer | None
    race_lines: tuple[AnswerLine, ...]
    asha: AshaAnswer | None
    confirmation: Confirmation | None
    card: DecisionCard
    search_space: ShownSpace | None
    population: Population | None


def summarise(database: Database, sweep: Sweep, objective: Objective | None = None) -> SweepReport:
    """Read a sweep and judge it; one that still runs is judged by what it has recorded so far.

    objective: that of a race or scheduler, or evaluation reward, if none is given
    """
    runs = training_runs.of_sweep(database, sweep.id)
    recorded = by_config(runs)
    asha = asha_answer(database, sweep, [config.name for config in recorded])
    population = population_of(database, sweep)
    decider = races.find(database, sweep.id) or asha or population
    if objective is None:
        objective = Objective.EVALUATION_REWARD if decider is None else Objective(decider.objective)
    base = next((each.name for each in recorded if each.is_base), None)
    health = HealthWatch()
    assessment = assess(health.watch(recorded, config_records(database, recorded)), objective)
    wins_or_loses = [seed.wins_or_loses for config in assessment.configs for seed in config.figures.counted]
    bounds = bounds_of(assessment.ranking.objective, wins_or_loses)
    answer = race_answer(database, sweep, base=base, bounds=bounds)
    lines = () if answer is None else answer_lines(answer)
    confirmed = confirmation(database, sweep)
    judged = Comparison(
        id=sweep.id,
        name=sweep.name,
        status=sweep.status,
        mode=sweep.mode,
        budget=sweep.budget,
        environment=str(sweep.base_config["environment"]["id"]),
        created_at=sweep.created_at,
        finished_at=sweep.finished_at,
        seconds=_seconds(sweep.created_at, sweep.finished_at, [sweep.heartbeat_at], runs),
        training_health=health.found,
        **_judged(database, recorded, assessment, sweep, answer, asha, population),
    )
    card = decision_card(
        judged,
        pick_of(judged, answer, lines, asha, population),
        race=answer,
        race_lines=lines,
        asha=asha,
        population=population,
        as_race=as_race(recorded, assessment),
        names=[config.name for config in recorded],
        pace=pace_of(database, runs, slots=None if answer is None else answer.slots),
        check=check_words(database, sweep, confirmed),
    )
    compared = {field.name: getattr(judged, field.name) for field in fields(Comparison)}
    return SweepReport(
        **compared | {"next_steps": beside_card(card, judged.next_steps)},
        race=answer,
        race_lines=lines,
        asha=asha,
        confirmation=confirmed,
        card=card,
        search_space=shown_space(sweep.space, configs=len(recorded)),
        population=population,
    )


def compare(database: Database, runs: Sequence[TrainingRun]) -> Comparison:
    """Judge any runs as if they were a sweep."""
    finished = bool(runs) and all(run.status.is_finished for run in runs)
    created_at = min((run.created_at for run in runs), default=None)
    ended = [run.ended_at for run in runs if run.ended_at is not None]
    finished_at = max(ended, default=None) if finished else None
    recorded, health = by_config(runs), HealthWatch()
    assessment = assess(health.watch(recorded, config_records(database, recorded)))
    return Comparison(
        id=None,
        name=None,
        status=_status_of(runs),
        mode=_common([run.mode for run in runs]),
        budget=_common([run.budget for run in runs]),
        environment=_common([run.environment for run in runs]),
        created_at=created_at,
        finished_at=finished_at,
        seconds=0.0 if created_at is None else _seconds(created_at, finished_at, [], runs),
        training_health=health.found,
        **_judged(database, recorded, assessment, None),
    )


def _judged(
    database: Database,
    recorded: Sequence[ConfigRuns],
    assessment: SweepAssessment,
    sweep: Sweep | None,
    race: RaceAnswer | None = None,
    asha: AshaAnswer | None = None,
    population: Population | None = None,
) -> dict[str, Any]:
    """What a report says of its runs, whether they are a sweep or not."""

    def sweep_of(run: TrainingRun) -> Sweep | None:
        return sweep if sweep is not None or run.sweep_id is None else sweeps.get(database, str(run.sweep_id))

    configs = config_reports(recorded, assessment)
    if asha is not None:
        configs = by_rung(configs, asha)
    index = assessment.ranking.winner
    winner = None if index is None else recorded[index].name
    choice = choice_of(configs, winner)
    take = race.take if race is not None else None if choice is None else choice.name
    reference = reference_of(configs, take, assessment.ranking.objective)
    runs = [run for config in recorded for run in config.runs]
    judged = Judged(
        sweep=sweep,
        recorded=recorded,
        assessment=assessment,
        configs=configs,
        take=None if race is None else race.take,
        is_race=race is not None,
    )
    seeds = [seed for config in configs for seed in config.seeds]
    return {
        "runs": dict(Counter(run.status for run in runs)),
        "episodes": sum(seed.episodes for seed in seeds),
        "updates": sum(seed.updates for seed in seeds),
        "env_steps": sum(seed.env_steps for seed in seeds),
        "scored_by": _scored_by(assessment.ranking),
        "rank_words": assessment.ranking.rank_words,
        "reference": reference,
        "winner": winner,
        "configs": with_differences(configs, reference),
        "slices": slices(values_by_key(recorded)),
        "failures": tuple(
            FailedRun(run_id=run.id, config=config.name, seed=run.seed, error=run.error or NO_ERROR)
            for config in recorded
            for run in config.runs
            if run.status is RunStatus.FAILED
        ),
        "findings": findings(recorded, assessment, is_race=race is not None, is_population=population is not None),
        "next_steps": next_steps(judged, sweep_of),
    }


def _scored_by(ranking: Ranking) -> ScoredBy:
    objective = ranking.objective
    return ScoredBy(
        objective=objective,
        direction=objective.direction,
        source=ranking.source,
        definition=ranking.definition,
        starting_level=ranking.start,
    )


def _status_of(runs: Sequence[TrainingRun]) -> SweepStatus:
    """The status of a sweep of these runs."""
    present = {run.status for run in runs}
    order = (RunStatus.RUNNING, RunStatus.PENDING, RunStatus.FAILED, RunStatus.STOPPED)
    return SweepStatus(next((status for status in order if status in present), RunStatus.COMPLETED))


def _common(values: Sequence[Any]) -> Any:
    """What all of them are; None where they differ."""
    return values[0] if values and all(value == values[0] for value in values) else None


def as_json(report: SweepReport) -> dict[str, Any]:
    """The report as values that `json.dumps` takes."""
    converted = jsonable(report)
    assert isinstance(converted, dict)
    return converted


def _seconds(
    created_at: datetime, finished_at: datetime | None, signs: Sequence[datetime | None], runs: Sequence[TrainingRun]
) -> float:
    signs = [*signs, *(run.ended_at for run in runs), *(run.heartbeat_at for run in runs)]
    last = finished_at or max((sign for sign in signs if sign is not None), default=created_at)
    return max(0.0, (last - created_at).total_seconds())
