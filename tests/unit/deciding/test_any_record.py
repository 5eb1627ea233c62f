"""A decision is sound whatever the record: any scores, any runs in flight, any cap."""

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsweep.deciding.race import decide
from rlsweep.deciding.records import InFlight, RaceRecord, RaceSettings, SeedScores, Stop, Tolerance
from rlsweep.jsonable import jsonable

RUN, RUNG = 20_480.0, 10_300.0

scores = st.none() | st.floats(-1e17, 1e6) | st.sampled_from([0.0, 0.5, 1.0])
seed_scores = st.builds(lambda rung, full: SeedScores(rung=rung, full=full), scores, scores)


@st.composite
def records(draw: st.DrawFn) -> RaceRecord:
    """Seeds without a full score, and the next seed of each config, may be in flight."""
    by_config = draw(st.lists(st.lists(seed_scores, max_size=3).map(tuple), min_size=1, max_size=7))
    in_flight = [
        InFlight(config=config, seed=seed, to_end=draw(st.booleans()))
        for config, seeds in enumerate(by_config)
        for seed in range(len(seeds) + 1)
        if (seed == len(seeds) or seeds[seed].full is None) and draw(st.booleans())
    ]
    start = draw(st.sampled_from([0.0, 0.5, -200.0]))
    return RaceRecord(scores=tuple(by_config), in_flight=tuple(in_flight), start=start, spent=100 * RUN)


race_settings = st.builds(
    lambda value, is_share, cap, rung: RaceSettings(
        tolerance=Tolerance(value=value, is_share=is_share), cap=cap, run_cost=RUN, rung_cost=RUNG, rung=rung
    ),
    st.floats(1e-6, 10.0),
    st.booleans(),
    st.integers(0, 12).map(lambda halves: (100 + halves / 2) * RUN) | st.just(200 * RUN),
    st.sampled_from([0.5, 1.0]),
)


def still_owed(record: RaceRecord) -> float:
    """Env steps that the runs in flight still cost."""
    owed = 0.0
    for each in record.in_flight:
        seeds = record.scores[each.config]
        known = seeds[each.seed] if each.seed < len(seeds) else SeedScores(rung=None, full=None)
        if known.full is None:
            owed += (RUN if each.to_end else RUNG) - (0.0 if known.rung is None else RUNG)
    return owed


@settings(max_examples=250, deadline=None, derandomize=True)
@given(race_settings, records(), st.integers(1, 9))
def test_a_decision_is_sound(asked: RaceSettings, record: RaceRecord, free: int) -> None:
    found = decide(asked, record, free=free)
    assert decide(asked, record, free=free) == found

    assert len(found.moves) <= free
    if found.moves:
        assert record.spent + still_owed(record) + sum(move.cost for move in found.moves) <= asked.cap
    taken = {(each.config, each.seed) for each in record.in_flight}
    for move in found.moves:
        assert (move.config, move.seed) not in taken
        taken.add((move.config, move.seed))
        seeds = record.scores[move.config]
        known = seeds[move.seed] if move.seed < len(seeds) else SeedScores(rung=None, full=None)
        assert known.full is None
        rest = RUN if known.rung is None else RUN - RUNG
        assert move.cost == (rest if move.to_end else RUNG)
        assert move.worth > 0

    assert not (found.stop and (found.moves or record.in_flight))
    assert found.stop or found.moves or record.in_flight
    numbers = [*found.belief_mean, *found.belief_sd, found.risk, found.promise, found.tolerance]
    assert all(np.isfinite(number) for number in numbers if number is not None)
    assert (found.leader is None) == (not any(each.full is not None for seeds in record.scores for each in seeds))
    if found.stop is Stop.SAFE:
        assert found.risk is not None
        assert found.risk <= 0.05 + 1e-12
    assert not found.is_winner or (found.may_claim and not found.contenders)
    json.dumps(jsonable(found))
