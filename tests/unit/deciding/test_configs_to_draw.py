"""Races that draw configs while they run: when they draw, when they stop, and what a draw is told."""

from dataclasses import replace

import numpy as np
import pytest

from rlsweep.deciding.forecast import forecast
from rlsweep.deciding.known_scores import known_scores
from rlsweep.deciding.race import decide
from rlsweep.deciding.records import InFlight, RaceRecord, RaceSettings, SeedScores, Stop, Tolerance
from rlsweep.deciding.simulated import SimulatedRace, simulate

RUN, RUNG = 1.0, 0.5
FIRST, ALL = 4, 10
SETTINGS = RaceSettings(
    tolerance=Tolerance(value=0.05, is_share=False), cap=50.0, configs=ALL, run_cost=RUN, rung_cost=RUNG
)


def scores(config: int, seed: int) -> tuple[float, float]:
    full = 0.9 - 0.05 * config + 0.01 * np.random.default_rng((config, seed)).standard_normal()
    return 0.7 * full, float(full)


def race(settings: RaceSettings, slots: int = 2) -> tuple[SimulatedRace, list[int]]:
    """The race, and how many configs of the record had a score at each draw."""
    drawn: list[int] = []

    def draw(record: RaceRecord) -> None:
        drawn.append(sum(score is not None for score in known_scores(settings, record)))

    found = simulate(settings, FIRST, scores, slots=slots, start=0.1, draw=draw, keeps_decisions=True)
    return found, drawn


@pytest.mark.parametrize("slots", [1, 2, 5, 20])
def test_a_race_is_not_safe_before_it_has_drawn_all_its_configs(slots: int) -> None:
    found, drawn = race(SETTINGS, slots)
    assert len(found.record.scores) == ALL
    assert found.decision.stop is Stop.SAFE
    assert len(drawn) == ALL - FIRST
    for record, _, decision in found.decisions:
        if len(record.scores) < ALL:
            assert decision.stop is None
        assert [move.config for move in decision.moves if move.config >= len(record.scores)] == list(
            range(len(record.scores), len(record.scores) + sum(m.config >= len(record.scores) for m in decision.moves))
        )
    without = simulate(replace(SETTINGS, configs=0), FIRST, scores, slots=slots, start=0.1)
    assert without.decision.stop is Stop.SAFE, "the first ones alone would be safe"
    assert len(without.record.scores) == FIRST


def test_evidence_enough_does_not_end_a_race_with_configs_to_draw() -> None:
    seeds = tuple(
        tuple(SeedScores(rung=0.5 * full, full=full) for full in (mean - 0.01, mean, mean + 0.01))
        for mean in (0.9, 0.3, 0.2)
    )
    record = RaceRecord(scores=seeds, start=0.1, spent=9.0)
    assert decide(replace(SETTINGS, configs=3), record, free=2).stop is Stop.SAFE
    found = decide(SETTINGS, record, free=2)
    assert found.stop is None
    assert [move.config for move in found.moves] == [3, 4]
    assert found.risk is not None, "the risk beside the configs that it has"


def test_configs_are_drawn_one_by_one_and_know_what_is_scored() -> None:
    found, drawn = race(SETTINGS, slots=2)
    assert drawn == sorted(drawn)
    assert drawn[0] >= FIRST - 1, "all of the first ones but the one that trains on the other slot"
    assert max(sum(m.config >= len(record.scores) for m in each.moves) for record, _, each in found.decisions) == 1
    joins = [m for record, _, each in found.decisions for m in each.moves if m.config >= len(record.scores)]
    assert all((move.seed, move.to_end, move.cost) == (0, False, RUNG) for move in joins)
    assert any(not each.full for seeds in found.record.scores for each in seeds), "the worst ones wait at the rung"


def test_the_cap_stops_a_race_before_it_has_drawn_all() -> None:
    found, _ = race(replace(SETTINGS, cap=5.0))
    assert found.decision.stop is Stop.CAP
    assert len(found.record.scores) < ALL
    assert found.record.spent <= 5.0
    more = decide(replace(SETTINGS, cap=20.0), found.record, free=1)
    assert more.stop is None
    assert more.moves, "with a larger cap it goes on"


def test_without_a_rung_configs_join_in_full() -> None:
    record = RaceRecord(scores=((SeedScores(rung=None, full=0.5),),) * 2, start=0.0, spent=2.0)
    settings = replace(SETTINGS, rung=1.0, rung_cost=RUN, configs=3)
    assert [(move.config, move.to_end, move.cost) for move in decide(settings, record, free=1).moves] == [
        (2, True, RUN)
    ]


def test_scores_at_the_rung_and_at_the_end_are_put_on_one_scale() -> None:
    both = tuple((SeedScores(rung=0.5 * full, full=full),) for full in (0.4, 0.6, 0.8))
    waiting = ((SeedScores(rung=0.45, full=None),), (SeedScores(rung=0.1, full=None),))
    record = RaceRecord(
        scores=(*both, *waiting, ()), in_flight=(InFlight(config=5, seed=0, to_end=False),), start=0.0, spent=4.0
    )
    found = known_scores(SETTINGS, record)
    assert found[:3] == pytest.approx((0.4, 0.6, 0.8))
    assert found[3] == pytest.approx(0.9, abs=0.02), "what its score at the rung predicts"
    assert found[4] == pytest.approx(0.2, abs=0.06)
    assert found[5] is None, "it trains and has no score"

    early = replace(record, scores=(*both[:2], *waiting, ()), in_flight=())
    assert known_scores(SETTINGS, early) == (0.2, 0.3, 0.45, 0.1, None), "two points make no line: rungs are compared"
    several = ((SeedScores(rung=0.3, full=0.5), SeedScores(rung=0.1, full=0.7)), *both)
    assert known_scores(SETTINGS, replace(record, scores=several, in_flight=()))[0] == pytest.approx(0.6), (
        "not the best"
    )


def test_a_forecast_counts_the_configs_to_come() -> None:
    drawn, plain = forecast(SETTINGS, FIRST, slots=2), forecast(replace(SETTINGS, configs=0), ALL, slots=2)
    assert (drawn.grid, drawn.greatest.runs, drawn.least) == (plain.grid, plain.greatest.runs, plain.least)
    assert drawn.likely.runs >= ALL
