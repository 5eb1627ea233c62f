"""Decisions of a race, asked one by one."""

from dataclasses import replace
from math import inf

from rlsweep.deciding.race import decide
from rlsweep.deciding.records import InFlight, Move, RaceRecord, RaceSettings, SeedScores, Stop, Tolerance
from rlsweep.race_records import Statistic

RUN, RUNG = 2_000.0, 1_000.0


def settings(
    *, cap: float = 40 * RUN, tolerance: float = 0.03, is_share: bool = False, statistic: Statistic = Statistic.MEAN
) -> RaceSettings:
    return RaceSettings(
        tolerance=Tolerance(value=tolerance, is_share=is_share),
        statistic=statistic,
        cap=cap,
        run_cost=RUN,
        rung_cost=RUNG,
    )


def at_rung(score: float) -> tuple[SeedScores, ...]:
    return (SeedScores(rung=score, full=None),)


def to_rung(config: int, seed: int = 0) -> InFlight:
    return InFlight(config=config, seed=seed, to_end=False)


def to_end(config: int, seed: int = 0) -> InFlight:
    return InFlight(config=config, seed=seed, to_end=True)


def finished(*scores: float) -> tuple[SeedScores, ...]:
    return tuple(SeedScores(rung=score, full=score) for score in scores)


def spent(scores: tuple[tuple[SeedScores, ...], ...]) -> float:
    seeds = [seed for config in scores for seed in config]
    return sum(RUN if seed.full is not None else RUNG for seed in seeds)


def record(*scores: tuple[SeedScores, ...], in_flight: tuple[InFlight, ...] = ()) -> RaceRecord:
    return RaceRecord(scores=scores, in_flight=in_flight, start=0.0, spent=spent(scores))


def test_the_first_seed_of_every_config_goes_to_the_rung():
    found = decide(settings(), record((), (), ()), free=2)
    assert found.moves == (
        Move(config=0, seed=0, to_end=False, cost=RUNG, worth=inf),
        Move(config=1, seed=0, to_end=False, cost=RUNG, worth=inf),
    )
    assert found.leader is None
    assert found.stop is None


def test_the_best_at_the_rung_go_on_while_others_are_on_their_way():
    scores = [at_rung(score) for score in (0.1, 0.5, 0.3, 0.4, 0.2, 0.6)]
    found = decide(settings(), record(*scores, (), (), in_flight=(to_rung(6), to_rung(7))), free=2)
    assert [(move.config, move.to_end, move.cost) for move in found.moves] == [(5, True, RUNG), (1, True, RUNG)]


def test_only_the_best_share_goes_on():
    scores = [at_rung(score / 10) for score in range(10)]
    found = decide(settings(), record(*scores), free=10)
    assert sorted(move.config for move in found.moves) == [4, 5, 6, 7, 8, 9]


def test_all_go_on_where_most_are_at_the_start_at_the_rung():
    scores = [at_rung(score) for score in (0.0, 0.0, 0.01, 0.0, 0.0, 0.0, 0.9, 0.0, 0.0, 0.4)]
    assert sorted(move.config for move in decide(settings(), record(*scores), free=10).moves) == list(range(10))
    on_the_way = record(*scores, (), in_flight=(to_rung(10),))
    assert sorted(move.config for move in decide(settings(), on_the_way, free=10).moves) != list(range(10))


def test_a_clear_leader_with_three_seeds_is_safe():
    rest = [finished(0.10 + 0.01 * place, 0.11 + 0.01 * place) for place in range(3)]
    found = decide(settings(), record(finished(0.80, 0.81, 0.82), *rest), free=2)
    assert (found.stop, found.leader, found.is_winner, found.moves) == (Stop.SAFE, 0, True, ())
    assert found.risk is not None
    assert found.risk <= 0.05


def test_a_safe_race_waits_for_what_is_in_flight():
    rest = [finished(0.10 + 0.01 * place, 0.11 + 0.01 * place) for place in range(3)]
    flight = to_end(1, seed=2)
    found = decide(settings(), record(finished(0.80, 0.81, 0.82), *rest, in_flight=(flight,)), free=1)
    assert (found.stop, found.moves) == (None, ())


def test_what_is_in_flight_counts_towards_the_cap():
    scores = (finished(0.5, 0.6), finished(0.5, 0.6), finished(0.5, 0.6))
    cap = spent(scores) + 2 * RUN
    found = decide(settings(cap=cap), record(*scores, in_flight=(to_end(0, seed=2),)), free=4)
    assert len(found.moves) == 1
    found = decide(settings(cap=cap - 1), record(*scores, in_flight=(to_end(0, seed=2),)), free=4)
    assert (found.moves, found.stop) == ((), None)
    assert decide(settings(cap=spent(scores) + RUN - 1), record(*scores), free=4).stop is Stop.CAP


def test_the_promise_is_the_tolerance_at_which_the_risk_would_do():
    scores = (finished(0.60, 0.70), finished(0.58, 0.69), finished(0.61, 0.65), finished(0.57, 0.66))
    asked = replace(settings(), floor=0.0)
    promise = decide(asked, record(*scores), free=2).promise
    assert promise is not None
    assert promise > 0.03
    for factor, is_enough in ((1.001, True), (0.999, False)):
        at = replace(asked, tolerance=Tolerance(value=promise * factor, is_share=False))
        risk = decide(at, record(*scores), free=2).risk
        assert risk is not None
        assert (risk <= 0.05) is is_enough
    coarse = replace(asked, tolerance=Tolerance(value=0.5, is_share=False))
    assert decide(coarse, record(*scores), free=2).promise == 0.5


def test_a_sweep_without_rungs_is_raced_on():
    grid = [tuple(SeedScores(rung=None, full=level + 0.01 * seed) for seed in range(2)) for level in (0.5, 0.6, 0.61)]
    found = decide(settings(), record(*grid, ()), free=3)
    assert found.moves[0] == Move(config=3, seed=0, to_end=True, cost=RUN, worth=inf)
    assert [move.seed for move in found.moves[1:]] == [2, 2]
    assert found.leader == 2


def test_the_tolerance_may_be_a_share_of_the_way_from_the_start():
    found = decide(settings(tolerance=0.1, is_share=True), record(finished(0.8), finished(0.5), finished(0.4)), free=1)
    assert found.tolerance == 0.1 * 0.8


def test_the_median_of_seeds_is_another_choice_than_their_mean():
    scores = finished(0.9, 0.9, 0.1), finished(0.7, 0.71, 0.69), finished(0.2, 0.21, 0.19), finished(0.3, 0.3, 0.31)
    by_mean, by_median = (decide(settings(statistic=each), record(*scores), free=0) for each in Statistic)
    assert (by_mean.leader, by_median.leader) == (1, 0)
    assert by_median.belief_mean[:2] == (0.9, 0.7)
    assert by_median.belief_sd[1] > by_mean.belief_sd[1], "a median takes more seeds than a mean"
    share = decide(settings(tolerance=0.1, is_share=True, statistic=Statistic.MEDIAN), record(*scores), free=0)
    assert share.tolerance == 0.1 * 0.9
