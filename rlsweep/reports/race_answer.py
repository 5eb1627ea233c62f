"""What a race says: which config to take, why, with what risk, at what cost, and what would make it surer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rlsweep.analysis.bounds import ANY, Bounds
from rlsweep.analysis.intervals import Estimate, dominance, estimate
from rlsweep.analysis.objectives import Objective
from rlsweep.deciding.choice import runs_to_settle
from rlsweep.deciding.records import Decision, RaceRecord, RaceSettings, Stop
from rlsweep.race_records import SEEDS_OF_GRID, DecisionRecord, Race
from rlsweep.reports.race_caveats import ShownCaveat, shown_caveats
from rlsweep.reports.race_line import raced_name
from rlsweep.reports.race_record import decision_of, inputs_of
from rlsweep.reports.sure_steps import SureStep, confirm_step, promote_step, race_step
from rlsweep.store import races
from rlsweep.store.database import Database
from rlsweep.sweep_records import Sweep


@dataclass(frozen=True, kw_only=True, slots=True)
class RacedConfig:
    """One config of a race.

    score: over its whole runs, with its interval; None without one
    belief, belief_sd: expected score and its standard deviation, as the newest decision has them; None before the first
        whole run
    runs: whole runs; paused: runs that wait at the rung
    env_steps: spent on it, evaluations included
    """

    name: str
    score: Estimate | None
    belief: float | None
    belief_sd: float | None
    runs: int
    paused: int
    env_steps: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Rival:
    """The config to take against another one. pairs: share of pairs of seeds in which it is better."""

    name: str
    score: Estimate
    pairs: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RaceCost:
    """What the race took, and what every config with five seeds would have taken, at the mean cost of a run."""

    runs: int
    env_steps: float
    seconds: float
    grid_runs: int
    grid_env_steps: float


MOST_DECISIONS = 200
"""A race of a thousand configs makes thousands of decisions, each with the record of every run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How the race stood at one decision: for the chart of belief and risk."""

    number: int
    made_at: datetime
    leader: str | None
    risk: float | None
    promise: float | None
    env_steps: float
    beliefs: tuple[float, ...]
    chosen: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RaceAnswer:
    """The answer of a race as of its newest decision; figures are in units of the objective.

    take: the config to take; None before the first whole run
    is_decided: whether the race has ended; stop: why
    is_claimed: whether the risk is at most what was asked for, and no caveat forbids the claim
    risk: upper bound of the probability that a config is better than `take` by more than the tolerance
    promise: no config is better by more than this, with the confidence asked for
    caveats: why the answer holds less than its figures say, and what to do
    as_good: configs whose equality with `take` is not excluded
    runs_to_settle: about how many more runs would lower the risk to what was asked for; None for very many
    slots: runs that trained side by side
    planned_configs: how many the race is to have, where it draws some of them while it runs; else None
    decisions: all of them; of more than `MOST_DECISIONS`, some at even distances and the newest one
    """

    objective: str
    over_seeds: str
    tolerance: float | None
    confidence: float
    is_decided: bool
    stop: str | None
    take: str | None
    score: Estimate | None
    runner_up: Rival | None
    base: Rival | None
    is_winner: bool
    is_claimed: bool
    risk: float | None
    promise: float | None
    caveats: tuple[ShownCaveat, ...]
    as_good: tuple[str, ...]
    runs_to_settle: int | None
    slots: int
    planned_configs: int | None
    cost: RaceCost
    to_be_sure: tuple[SureStep, ...]
    configs: tuple[RacedConfig, ...]
    decisions: tuple[Standing, ...]


def race_answer(
    database: Database, sweep: Sweep, *, base: str | None = None, bounds: Bounds = ANY
) -> RaceAnswer | None:
    """The answer of the sweep's race; None if it is no race, or has no decision yet.

    base: name of the base config among its configs, to compare with; bounds: of a score, where its interval ends
    """
    race = races.find(database, sweep.id)
    made = [] if race is None else races.decisions(database, sweep.id, most=MOST_DECISIONS)
    if race is None or not made:
        return None
    return _answer(race, made, sweep, base, bounds)


def _answer(race: Race, made: Sequence[DecisionRecord], sweep: Sweep, base: str | None, bounds: Bounds) -> RaceAnswer:
    newest = made[-1]
    settings, record, _ = inputs_of(newest)
    decision, objective = decision_of(newest), Objective(race.objective)
    configs = _configs(newest, record, objective, bounds)
    leader = decision.leader
    caveats = shown_caveats(record, decision, [config.name for config in configs])
    is_safe = decision.risk is not None and decision.risk <= 1 - race.confidence
    is_claimed = is_safe and decision.may_claim
    cost = _cost(settings, record, sweep, newest)
    to_settle = None if leader is None else runs_to_settle(settings, record, leader)
    contenders = tuple(configs[index].name for index in decision.contenders)
    return RaceAnswer(
        objective=race.objective,
        over_seeds=race.statistic.value,
        tolerance=decision.tolerance,
        confidence=race.confidence,
        is_decided=race.stop is not None,
        stop=race.stop,
        take=None if leader is None else configs[leader].name,
        score=None if leader is None else configs[leader].score,
        runner_up=_rival(record, configs, objective, leader, _runner_up(decision)),
        base=_rival(record, configs, objective, leader, _place(configs, base)),
        is_winner=is_claimed and decision.is_winner,
        is_claimed=is_claimed,
        risk=decision.risk,
        promise=decision.promise,
        caveats=caveats,
        as_good=contenders,
        runs_to_settle=to_settle,
        slots=newest.free + len(record.in_flight),
        planned_configs=settings.configs or None,
        cost=cost,
        to_be_sure=_to_be_sure(
            race,
            sweep,
            cost,
            contenders=None if leader is None else len(contenders),
            needs_seeds=not is_claimed and not any(caveat.forbids_claim for caveat in caveats),
            to_settle=to_settle,
        ),
        configs=configs,
        decisions=tuple(_standing(each, objective) for each in made),
    )


def _configs(
    newest: DecisionRecord, record: RaceRecord, objective: Objective, bounds: Bounds
) -> tuple[RacedConfig, ...]:
    beliefs, sds = newest.decision["belief_mean"], newest.decision["belief_sd"]
    spent = [0.0] * len(record.scores)
    for run in newest.record["runs"]:
        spent[run["config"]] += run["spent"]
    return tuple(
        RacedConfig(
            name=name,
            score=estimate(_full(record, index, objective), bounds),
            belief=objective.signed(beliefs[index]) if beliefs else None,
            belief_sd=sds[index] if sds else None,
            runs=len(_full(record, index, objective)),
            paused=sum(each.full is None and each.rung is not None for each in record.scores[index]),
            env_steps=spent[index],
        )
        for index, name in enumerate(newest.record["configs"])
    )


def _full(record: RaceRecord, config: int, objective: Objective) -> list[float]:
    """The scores of a config's whole runs, in units of the objective."""
    return [objective.signed(each.full) for each in record.scores[config] if each.full is not None]


def _runner_up(decision: Decision) -> int | None:
    """The config with the highest belief beside the leader."""
    others = [index for index in range(len(decision.belief_mean)) if index != decision.leader]
    return max(others, key=lambda index: decision.belief_mean[index], default=None)


def _place(configs: Sequence[RacedConfig], name: str | None) -> int | None:
    return next((index for index, config in enumerate(configs) if config.name == name), None)


def _rival(
    record: RaceRecord, configs: Sequence[RacedConfig], objective: Objective, leader: int | None, rival: int | None
) -> Rival | None:
    """The leader against another config that has a whole run."""
    if leader is None or rival is None or rival == leader:
        return None
    score = configs[rival].score
    ours, theirs = ([objective.signed(each) for each in _full(record, index, objective)] for index in (leader, rival))
    beats = dominance(ours, theirs)
    if score is None or beats is None:
        return None
    return Rival(name=configs[rival].name, score=score, pairs=beats.probability)


def _cost(settings: RaceSettings, record: RaceRecord, sweep: Sweep, newest: DecisionRecord) -> RaceCost:
    grid_runs = SEEDS_OF_GRID * max(len(record.scores), settings.configs)
    last = sweep.finished_at or newest.made_at
    return RaceCost(
        runs=sum(len(seeds) for seeds in record.scores),
        env_steps=record.spent,
        seconds=max(0.0, (last - sweep.created_at).total_seconds()),
        grid_runs=grid_runs,
        grid_env_steps=grid_runs * settings.run_cost,
    )


def _to_be_sure(
    race: Race, sweep: Sweep, cost: RaceCost, *, contenders: int | None, needs_seeds: bool, to_settle: int | None
) -> tuple[SureStep, ...]:
    """The commands that would make the answer surer. contenders: of the leader; None without one."""
    if race.stop is None:
        return ()
    cap = race.cap if race.stop == Stop.TIME else race.larger_cap
    room = (cap * cost.grid_env_steps - cost.env_steps) * cost.grid_runs / cost.grid_env_steps
    shown = None if race.stop == Stop.TIME else cap
    steps = [race_step(sweep.name, cap=shown, to_settle=to_settle, room=room)] if needs_seeds else []
    if contenders is not None:
        steps += [confirm_step(sweep.name, contenders=contenders), promote_step(sweep.name)]
    return tuple(steps)


def _standing(made: DecisionRecord, objective: Objective) -> Standing:
    names, decision = made.record["configs"], decision_of(made)
    return Standing(
        number=made.number,
        made_at=made.made_at,
        leader=None if decision.leader is None else names[decision.leader],
        risk=decision.risk,
        promise=decision.promise,
        env_steps=sum(run["spent"] for run in made.record["runs"]),
        beliefs=tuple(objective.signed(mean) for mean in decision.belief_mean),
        chosen=tuple(raced_name(names, move.config) for move in decision.moves),
    )
