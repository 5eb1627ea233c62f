"""ASHA over recorded curves: what holds whatever runs score, fail and end, in whatever order."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsweep.jsonable import jsonable
from rlsweep.reports.asha_record import AshaState, decision_of, states_of
from rlsweep.scheduler_records import SchedulerDecision
from rlsweep.schedulers.asha import (
    AshaDecision,
    AshaMove,
    AshaRecord,
    AshaRun,
    AshaSettings,
    AshaStop,
    decide,
    ranked,
    shares,
)
from rlsweep.schedulers.simulated_asha import simulate

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HALVED = AshaSettings(rungs=shares(3, 2), reduction=2)


def record_of(*configs: AshaRun) -> AshaRecord:
    return AshaRecord(configs=tuple((run,) for run in configs))


def at(*scores: float | None, aim: int | None = None, failed: bool = False) -> AshaRun:
    return AshaRun(scores=scores, aim=aim, has_failed=failed)


def moves(record: AshaRecord, free: int = 1) -> list[tuple[int, int]]:
    return [(move.config, move.rung) for move in decide(HALVED, record, free=free).moves]


def test_rungs_are_shares_of_the_budget_that_a_pause_hits_exactly() -> None:
    assert shares(3, 2) == (0.25, 0.5, 1.0)
    assert shares(4, 3)[0] == 1000 / 27000, "as a run measures what is spent"


@pytest.mark.parametrize(
    ("why", "record", "expected"),
    [
        ("the plan's order", record_of(at(), at(), at()), [(0, 0), (1, 0)]),
        ("the best half of two", record_of(at(1.0), at(2.0), at()), [(1, 1), (2, 0)]),
        ("the highest rung first", record_of(at(1.0, 1.0), at(2.0, 2.0), at(0.5), at(0.4)), [(1, 2)]),
        ("ties by the plan's order", record_of(at(1.0), at(1.0), at(aim=0)), [(0, 1)]),
        ("none of one while others come", record_of(at(1.0), at(aim=0)), []),
        ("the best of the last", record_of(at(1.0, 3.0), at(0.0), at(0.5)), [(0, 2)]),
        ("whoever has no score comes last", record_of(at(None), at(-9.0), at(aim=0)), [(1, 1)]),
        ("a failed one is worse yet", record_of(at(failed=True), at(None), at(aim=0)), [(1, 1)]),
        ("who comes late and is better goes on too", record_of(at(1.0, aim=1), at(0.0), at(2.0)), [(2, 1)]),
    ],
)
def test_what_is_begun_next(why: str, record: AshaRecord, expected: list[tuple[int, int]]) -> None:
    assert moves(record, free=2)[: len(expected)] == expected, why
    if not expected:
        assert moves(record, free=2) == []


def test_a_config_goes_on_with_all_its_seeds_by_their_mean_once_all_are_there() -> None:
    lucky, steady = (at(9.0), at(-9.0)), (at(1.0), at(1.0))
    assert decide(HALVED, AshaRecord(configs=(lucky, steady)), free=1).moves == (AshaMove(config=1, rung=1),)
    waiting = AshaRecord(configs=(lucky, (at(1.0), at(aim=0))))
    assert decide(HALVED, waiting, free=1).moves == ()
    assert ranked(AshaRecord(configs=(lucky, (at(5.0), at(failed=True)))), 0) == [(0, 0.0), (1, None)]


def test_it_ends_when_nothing_trains_and_nothing_may_go_on() -> None:
    assert decide(HALVED, record_of(at(2.0, 2.0, 2.0), at(1.0)), free=2).stop is AshaStop.NOTHING_LEFT
    assert decide(HALVED, record_of(at(failed=True), at(failed=True)), free=2).stop is AshaStop.NOTHING_LEFT
    assert decide(HALVED, record_of(at(2.0, 2.0, aim=2), at(1.0)), free=2).stop is None, "one still trains"
    assert decide(HALVED, AshaRecord(configs=()), free=1).stop is AshaStop.NOTHING_LEFT, "all were stopped"


@st.composite
def sweeps(draw: st.DrawFn):  # type: ignore[no-untyped-def]
    rungs, reduction = draw(st.integers(2, 4)), draw(st.integers(2, 4))
    configs, seeds = draw(st.integers(1, 14)), draw(st.integers(1, 3))
    score = st.one_of(st.integers(0, 3).map(float), st.none(), st.just(inf))
    curve = st.lists(score, min_size=rungs, max_size=rungs)
    curves = draw(st.lists(curve, min_size=configs * seeds, max_size=configs * seeds))
    return AshaSettings(rungs=shares(rungs, reduction), reduction=reduction), configs, seeds, curves


class Trials:
    """A trainer that replays recorded curves: a score at each rung; infinity where the run fails on the way there."""

    def __init__(self, configs: int, seeds: int, curves: list[list[float | None]]) -> None:
        self.runs = [[AshaRun() for _ in range(seeds)] for _ in range(configs)]
        self.curves = [curves[place * seeds : (place + 1) * seeds] for place in range(configs)]
        self.flying: list[tuple[int, int]] = []
        self.trained: list[tuple[int, int, int]] = []

    @property
    def record(self) -> AshaRecord:
        return AshaRecord(configs=tuple(map(tuple, self.runs)))

    def begin(self, move: AshaMove) -> None:
        for seed, run in enumerate(self.runs[move.config]):
            assert run.aim is None, "no run is given twice at a time"
            assert len(run.scores) == move.rung, "no run begins anew, none passes over a rung"
            assert not run.has_failed
            self.runs[move.config][seed] = replace(run, aim=move.rung)
            self.flying.append((move.config, seed))

    def end(self, place: int) -> None:
        config, seed = self.flying.pop(place % len(self.flying))
        run = self.runs[config][seed]
        assert run.aim is not None
        self.trained.append((config, seed, run.aim))
        score = self.curves[config][seed][run.aim]
        if score == inf:
            self.runs[config][seed] = AshaRun(scores=run.scores, has_failed=True)
        else:
            self.runs[config][seed] = AshaRun(scores=(*run.scores, score))


def check_move(settings: AshaSettings, record: AshaRecord, move: AshaMove) -> None:
    """A config that goes on is among the top share of its rung, or the best of a rung that no other will come to."""
    if move.rung == 0:
        assert record.configs[move.config][0] == AshaRun()
        return
    rung = move.rung - 1
    order = [config for config, _ in ranked(record, rung)]
    place, share = order.index(move.config), len(order) // settings.reduction
    if place >= share:
        runs = [run for runs in record.configs for run in runs]
        assert place == 0
        assert all(run.scores or run.has_failed or run.aim is not None for run in runs), "every config has begun"
        assert not any(run.aim is not None and run.aim <= rung for run in runs), "none is on its way there"


@settings(max_examples=120, deadline=None)
@given(sweep=sweeps(), slots=st.integers(1, 5), order=st.lists(st.integers(0, 9), max_size=60))
def test_invariants_hold_whatever_fails_and_in_whatever_order_runs_end(sweep, slots, order) -> None:  # type: ignore[no-untyped-def]
    asha, configs, seeds, curves = sweep
    trials, order = Trials(configs, seeds, curves), iter(order)
    log = []
    while True:
        free = slots - len(trials.flying)
        if free > 0:
            made = decide(asha, trials.record, free=free)
            log.append((trials.record, free, made))
            for move in made.moves:
                check_move(asha, trials.record, move)
                trials.begin(move)
            if made.stop is not None:
                assert not trials.flying
                break
            assert trials.flying, "it waits for something"
        trials.end(next(order, 0))
    assert all(decide(asha, record, free=free) == made for record, free, made in log), "the replay gives the same"
    assert len(set(trials.trained)) == len(trials.trained), "nothing is trained twice"
    assert all(run.scores or run.has_failed for runs in trials.runs for run in runs), "every config began"
    for rung in range(len(asha.rungs) - 1):
        at_rung = ranked(trials.record, rung)
        beyond = [max(len(run.scores) + run.has_failed for run in runs) > rung + 1 for runs in trials.runs]
        assert any(beyond) or not at_rung or at_rung[0][1] is None, "the top rung is reached unless the best fails"


@settings(max_examples=40, deadline=None)
@given(sweep=sweeps(), slots=st.integers(1, 4), kills=st.sets(st.integers(0, 40)))
def test_what_is_put_on_record_gives_the_same_decisions_whenever_a_driver_dies(sweep, slots, kills) -> None:  # type: ignore[no-untyped-def]
    asha, configs, seeds, curves = sweep
    trials = Trials(configs, seeds, curves)
    run_ids = tuple(tuple(UUID(int=seeds * config + seed) for seed in range(seeds)) for config in range(configs))
    on_record: list[SchedulerDecision] = []
    before, made = None, AshaDecision()
    while made.stop is None:
        if len(on_record) in kills:  # another driver reads what was put on record
            before = next((state.record for state in reversed(list(states_of(on_record)))), None)
        state, free = AshaState(record=trials.record, run_ids=run_ids), slots - len(trials.flying)
        if free > 0 and ((made := decide(asha, state.record, free=free)).moves or made.stop is not None):
            number = len(on_record) + 1
            record, decision = (json.loads(json.dumps(each)) for each in (state.changes(before), jsonable(made)))
            on_record.append(SchedulerDecision(number=number, made_at=NOW, free=free, record=record, decision=decision))
            before = state.record
            for move in made.moves:
                trials.begin(move)
        if trials.flying:
            trials.end(len(on_record))
    for one, state in zip(on_record, states_of(on_record), strict=True):
        assert decide(asha, state.record, free=one.free) == decision_of(one)
        assert state.run_ids == run_ids
    assert list(states_of(on_record))[-1].record == trials.record


def test_a_simulation_trains_what_the_decisions_say() -> None:
    def by_place(config: int, seed: int, rung: int) -> float:
        return float(config)

    found = simulate(HALVED, configs=8, slots=1, score=by_place)
    assert [found.reached(rung) for rung in range(3)] == [8, 7, 6], "each is better than all before it"
    assert found.cost == pytest.approx(found.length), "on one slot"
    assert ranked(found.record, 2)[0][0] == 7
    assert simulate(HALVED, configs=8, slots=2, score=by_place, budget=1.0).cost <= 1.0
    failing = simulate(HALVED, configs=2, slots=2, score=lambda *_: None)
    assert (failing.cost, failing.reached(0)) == (0.5, 0)
