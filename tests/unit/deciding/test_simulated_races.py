"""Whole races over known scores: what they name, claim and promise is true, and they keep to their cap and slots."""

import json
from dataclasses import replace

import numpy as np
import pytest
from race_families import REGULAR, Problem, dead, found_or_not

from rlsweep.deciding.race import decide
from rlsweep.deciding.records import RaceSettings, Stop, Tolerance
from rlsweep.deciding.simulated import SimulatedRace, simulate
from rlsweep.jsonable import jsonable

CONFIGS = 10
RUN, RUNG = 20_581.0, 10_337.0
"""Env steps; neither divides the other."""


def raced(problem: Problem, *, cap: float = 1 / 2, slots: int = 4, keeps_decisions: bool = False) -> SimulatedRace:
    settings = RaceSettings(
        tolerance=Tolerance(value=problem.tolerance, is_share=False),
        cap=cap * 5 * problem.configs * RUN,
        run_cost=RUN,
        rung_cost=RUNG,
    )
    return simulate(
        settings,
        problem.configs,
        problem.scores,
        slots=slots,
        start=problem.start,
        keeps_decisions=keeps_decisions,
    )


def drawn(family: str, number: int, configs: int = CONFIGS) -> Problem:
    return REGULAR[family](np.random.default_rng((number, 5)), configs)


@pytest.mark.parametrize("family", ["identical", "twins"])
def test_no_winner_is_named_where_there_is_none(family: str) -> None:
    named = [raced(drawn(family, number)).decision.is_winner for number in range(50)]
    assert sum(named) <= 0.05 * len(named)


def test_a_winner_is_named_where_there_is_one() -> None:
    right = 0
    for number in range(20):
        problem = drawn("twins", number)
        one = int(np.argmax(problem.truth))
        problem.full[one] += 0.15
        found = raced(problem).decision
        right += found.is_winner and found.leader == one
    assert right >= 15


def test_what_is_claimed_and_promised_is_kept() -> None:
    claims, promises, picks = [], [], []
    for family in REGULAR:
        for number in range(18):
            problem = drawn(family, number)
            found = raced(problem).decision
            assert found.leader is not None
            assert found.risk is not None
            assert found.promise is not None
            picks.append(problem.is_good[found.leader])
            if not found.may_claim:
                continue
            promises.append(problem.regret[found.leader] <= found.promise)
            if found.risk <= 0.05:
                claims.append(problem.is_good[found.leader])
    assert len(claims) >= 0.5 * len(picks)
    assert len(promises) >= 0.9 * len(picks)
    assert np.mean(claims) >= 0.95
    assert np.mean(promises) >= 0.95
    assert np.mean(picks) >= 0.9


@pytest.mark.parametrize("family", [found_or_not, dead])
def test_nothing_is_claimed_where_seeds_find_the_reward_or_nothing(family) -> None:
    found = [raced(family(np.random.default_rng((number, 6)), CONFIGS)).decision for number in range(20)]
    assert sum(each.may_claim for each in found) <= 3
    assert not any(each.is_winner for each in found if not each.may_claim)
    assert not any(each.stop is Stop.SAFE for each in found if not each.may_claim)


@pytest.mark.parametrize("slots", [1, 3, 8])
def test_the_cap_holds_and_the_slots_stay_busy(slots: int) -> None:
    for cap in (0.16, 0.33, 0.5):
        done = raced(drawn("near_ties", slots), cap=cap, slots=slots, keeps_decisions=True)
        limit = cap * 5 * CONFIGS * RUN
        assert done.record.spent <= limit
        if done.decision.stop is Stop.CAP:
            assert done.record.spent > limit - RUN
        idle = [free - len(each.moves) for record, free, each in done.decisions if record.spent < limit - 8 * RUN]
        assert sum(idle) <= slots


def test_the_cap_is_used_to_the_last_env_step() -> None:
    problem = drawn("identical", 1)
    needed = raced(problem, cap=0.4).record.spent
    assert raced(problem, cap=needed / (5 * CONFIGS * RUN)).record.spent == needed
    assert raced(problem, cap=(needed - 1) / (5 * CONFIGS * RUN)).record.spent < needed


def test_a_replay_gives_the_same_decisions_bit_for_bit() -> None:
    problem = drawn("heavy_tails", 3)
    done = raced(problem, keeps_decisions=True)
    again = raced(problem, keeps_decisions=True)
    assert len(done.decisions) > 10
    assert json.dumps(jsonable(done.decisions)) == json.dumps(jsonable(again.decisions))
    settings = RaceSettings(
        tolerance=Tolerance(value=problem.tolerance, is_share=False),
        cap=0.5 * 5 * CONFIGS * RUN,
        run_cost=RUN,
        rung_cost=RUNG,
    )
    for record, free, decision in done.decisions:
        assert decide(settings, record, free=free) == decision


def test_a_race_goes_on_with_a_greater_cap_or_a_smaller_tolerance() -> None:
    settings = RaceSettings(tolerance=Tolerance(value=0.03, is_share=False), cap=50 * RUN, run_cost=RUN, rung_cost=RUNG)
    capped = raced(drawn("near_ties", 2), cap=0.25)
    assert capped.decision.stop is Stop.CAP
    assert len(decide(settings, capped.record, free=4).moves) == 4
    safe = raced(drawn("spread", 0), cap=1)
    assert safe.decision.stop is Stop.SAFE
    assert decide(settings, safe.record, free=4).stop is Stop.SAFE
    finer = replace(settings, tolerance=Tolerance(value=0.003, is_share=False))
    assert len(decide(finer, safe.record, free=4).moves) == 4
