"""A choice checked on held-out seeds: which configs to train, and what their runs show."""

from dataclasses import dataclass
from statistics import fmean

from rlsweep.analysis.intervals import Estimate, estimate
from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.scores import score_of
from rlsweep.analysis.sweeps import assess
from rlsweep.analysis.wording import number
from rlsweep.deciding.confirm import MOST_RIVALS, confirm
from rlsweep.reports.asha_answer import asha_answer
from rlsweep.reports.population import population_of
from rlsweep.reports.race_answer import race_answer
from rlsweep.reports.records import by_config, config_records, seed_records
from rlsweep.runs import RunStatus
from rlsweep.store import races, schedulers, sweeps, training_runs
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep

FEWEST_SEEDS = 2
"""Held-out seeds of each config that an estimate needs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldOut:
    """One config on held-out seeds.

    score: over these seeds alone; before: mean of its scores in the sweep that chose it, which is too high where the
        best of many was taken
    p_value: of "the config to take is not better", by Holm's correction; None for that config itself
    """

    name: str
    score: Estimate
    before: float | None
    p_value: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirmation:
    """What held-out seeds show of the choice of the sweep `of`; figures are in units of the objective.

    is_winner: the config to take is told from all contenders
    """

    of: str
    take: HeldOut
    rivals: tuple[HeldOut, ...]
    is_winner: bool

    @property
    def text(self) -> str:
        """The result in two sentences."""
        before = "" if self.take.before is None else f" ({number(self.take.before)} in {self.of})"
        score = f"{self.take.name}: {number(self.take.score.mean)} on {self.take.score.seeds} new seeds{before}."
        if self.is_winner:
            return f"{score} It is better than every contender."
        if not self.rivals:
            return f"{score} No contender was trained beside it."
        return f"{score} Not told from {', '.join(rival.name for rival in self.rivals)}."


def to_confirm(database: Database, sweep: Sweep) -> list[str]:
    """The config that the sweep would take and its contenders, at most MOST_RIVALS of them; none before any score."""
    return _choice(database, sweep)[: 1 + MOST_RIVALS]


def _choice(database: Database, sweep: Sweep) -> list[str]:
    """The config that the sweep would take, and all its contenders."""
    race = race_answer(database, sweep)
    if race is not None:
        return [] if race.take is None else [race.take, *race.as_good]
    configs = by_config(training_runs.of_sweep(database, sweep.id))
    asha = asha_answer(database, sweep, [config.name for config in configs])
    if asha is not None:
        at_highest = () if asha.highest is None else asha.highest.configs
        return [config.name for config in at_highest if config.score is not None]
    population = population_of(database, sweep)
    if population is not None:
        return [member.name for member in population.members if member.number == population.best]
    groups = assess(config_records(database, configs)).ranking.groups
    return [configs[index].name for index in groups[0]] if groups else []


def confirmation(database: Database, sweep: Sweep) -> Confirmation | None:
    """What the runs of a confirming sweep show; None for another sweep, or before each config has two whole runs."""
    if sweep.confirms is None:
        return None
    chosen = sweeps.get(database, sweep.confirms)
    decider = races.find(database, chosen.id) or schedulers.find(database, chosen.id)
    objective = Objective.EVALUATION_REWARD if decider is None else Objective(decider.objective)
    new, before = (_scores(database, each, objective) for each in (sweep, chosen))
    if any(len(scores) < FEWEST_SEEDS for scores in new.values()):
        return None
    pick, *rivals = new
    found = confirm(
        [objective.signed(score) for score in new[pick]],
        [[objective.signed(score) for score in new[rival]] for rival in rivals],
        has_more_contenders=len(_choice(database, chosen)) > len(new),
    )
    p_values = [None, *(rival.p_value for rival in found.rivals)]
    shown = tuple(
        HeldOut(
            name=name,
            score=_estimate(scores),
            before=fmean(before[name]) if before.get(name) else None,
            p_value=p_value,
        )
        for (name, scores), p_value in zip(new.items(), p_values, strict=True)
    )
    return Confirmation(of=chosen.name, take=shown[0], rivals=shown[1:], is_winner=found.is_winner)


def check_words(database: Database, sweep: Sweep, own: Confirmation | None) -> str | None:
    """What held-out seeds show of the choice that the sweep checks, or of its own; None where none were trained.

    own: what the sweep shows of another one's choice, if it was made to check that
    """
    if own is not None:
        return own.text
    for checking in sweeps.confirmations(database, sweep.id):
        if (found := confirmation(database, checking)) is not None:
            return f"{found.text} These seeds are in sweep {checking.name}."
    return None


def _scores(database: Database, sweep: Sweep, objective: Objective) -> dict[str, list[float]]:
    """The scores of each config's whole runs, in the order of the plan."""
    scores: dict[str, list[float]] = {}
    for config in by_config(training_runs.of_sweep(database, sweep.id)):
        whole = [run for run in config.runs if run.status is RunStatus.COMPLETED]
        found = (score_of(record, objective) for record in seed_records(database, whole).values())
        scores[config.name] = [score for score in found if score is not None]
    return scores


def _estimate(scores: list[float]) -> Estimate:
    found = estimate(scores)
    assert found is not None
    return found
