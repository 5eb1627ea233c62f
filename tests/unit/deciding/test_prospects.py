"""What more training would buy: drawn records are judged as single ones are, and the chances come true."""

from dataclasses import replace

import numpy as np
import pytest
from prospect_cases import calibration, cases, grid_record, means, settings_of
from race_families import REGULAR, Problem

from rlsweep.deciding.belief import believe, resolve_tolerance
from rlsweep.deciding.drawn_moves import drawn_moves
from rlsweep.deciding.drawn_records import DrawnRecords, drawn_beliefs
from rlsweep.deciding.moves import best_moves
from rlsweep.deciding.prospects import LONGER, MOST_SLOTS, freedom_of, kept_configs, prospect_of_race, prospect_of_seeds
from rlsweep.deciding.race import decide
from rlsweep.deciding.records import RaceRecord, RaceSettings, SeedScores, Tolerance
from rlsweep.deciding.risk import leader_of
from rlsweep.deciding.standing import standing_of
from rlsweep.race_records import Statistic

CONFIGS, DRAWS = 6, 5
ANY = RaceSettings(tolerance=Tolerance(value=0.06, is_share=False), cap=1e9, run_cost=2.0, rung_cost=1.0)


def problem(family: str, number: int, configs: int = CONFIGS) -> Problem:
    return REGULAR[family](np.random.default_rng((number, 9)), configs)


def drawn(records: list[RaceRecord]) -> DrawnRecords:
    full = [[np.array(config.full) for config in standing_of(ANY, record).configs] for record in records]
    return DrawnRecords(
        seeds=np.array([[len(scores) for scores in row] for row in full]),
        mean=np.array([[scores.mean() for scores in row] for row in full]),
        squares=np.array([[((scores - scores.mean()) ** 2).sum() for scores in row] for row in full]),
        unfinished_mean=np.zeros(CONFIGS),
        unfinished_variance=np.ones(CONFIGS),
        start=records[0].start,
    )


@pytest.mark.parametrize("is_share", [False, True])
def test_many_records_are_judged_as_each_alone(is_share: bool) -> None:
    settings = RaceSettings(
        tolerance=Tolerance(value=0.06, is_share=is_share), cap=1e9, run_cost=2.0, rung_cost=1.0, fewest_seeds=1
    )
    records = [grid_record(problem("spread", number), 2 + number % 2) for number in range(DRAWS)]
    beliefs = drawn_beliefs(settings, drawn(records))
    for confidence in (0.05, 0.3, 0.5, 0.7, 0.95):
        asked = replace(settings, confidence=confidence)
        np.testing.assert_array_equal(beliefs.is_safe(asked), beliefs.risk(asked) <= 1 - confidence)
    moves = list(drawn_moves(settings, beliefs, np.zeros((DRAWS, CONFIGS), dtype=int), 3))
    for number, record in enumerate(records):
        standing = standing_of(settings, record)
        tolerance = resolve_tolerance(settings, standing)
        assert tolerance is not None
        alone = believe(settings, standing, tolerance)
        np.testing.assert_allclose(beliefs.mean[number], alone.mean)
        np.testing.assert_allclose(beliefs.variance[number], alone.variance)
        np.testing.assert_allclose(beliefs.freedom[number], alone.freedom)
        decision = decide(settings, record, free=0)
        assert beliefs.leader[number] == decision.leader
        assert beliefs.risk(settings)[number] == pytest.approx(decision.risk)
        leader = leader_of(alone, np.array([2] * CONFIGS))
        chosen = best_moves(settings, standing, alone, leader=leader, tolerance=tolerance, planned=(), free=3)
        assert [int(config[number]) for config, _ in moves][: len(chosen)] == [move.config for move in chosen]


def test_a_score_is_added_as_if_it_had_been_there() -> None:
    short, long = grid_record(problem("spread", 1), 3), grid_record(problem("spread", 1), 4)
    records = drawn([short, short])
    for config in range(CONFIGS):
        score = long.scores[config][3].full
        assert score is not None
        records.add(np.array([1]), np.array([config]), np.array([score]))
    both = drawn([short, long])
    np.testing.assert_allclose(records.mean, both.mean)
    np.testing.assert_allclose(records.squares, both.squares, atol=1e-12)
    low = drawn([short])
    low.add(np.array([0]), np.array([0]), np.array([-9.0]))
    assert low.mean[0, 0] == pytest.approx(np.mean([*(each.full for each in short.scores[0]), short.start]))


def test_the_same_record_gives_the_same_figures_and_more_training_never_less() -> None:
    of = problem("near_ties", 4, 8)
    record, settings = grid_record(of, 3), settings_of(of)
    found = prospect_of_seeds(settings, record, slots=2)
    assert found == prospect_of_seeds(settings, record, slots=2)
    assert found.env_steps[0] == 0
    for line in (found.low, found.chance, found.high):
        assert list(line) == sorted(line)
    assert all(low <= chance <= high for low, chance, high in zip(found.low, found.chance, found.high, strict=True))
    assert found.chance[-1] > found.chance[0]


def test_the_run_on_the_other_slot_is_to_end_as_well() -> None:
    of = problem("near_ties", 4, 8)
    alone, beside = (prospect_of_race(settings_of(of), grid_record(of, 3), kept=range(3), slots=n) for n in (1, 2))
    assert alone.runs == beside.runs == tuple(range(6, 31))
    assert all(later <= before for later, before in zip(beside.chance[1:], alone.chance[:-1], strict=True))
    assert beside.chance[0] == 0 < beside.chance[-1]


def test_a_longer_budget_costs_more_and_lets_slow_configs_come_up() -> None:
    of = problem("slow_best", 2, 8)
    record, settings = grid_record(of, 3), settings_of(of)
    usual = prospect_of_race(settings, record, kept=range(8), slots=2)
    longer = prospect_of_race(settings, record, kept=range(8), slots=2, budgets=LONGER)
    assert longer.runs == usual.runs
    assert longer.env_steps == pytest.approx([LONGER * each for each in usual.env_steps])
    assert longer.chance != usual.chance


def test_configs_that_are_clearly_worse_are_dropped_but_three_stay() -> None:
    of = problem("one_better", 0, 8)
    best = int(np.argmax(of.truth))
    of.full[best] += 0.3
    kept = kept_configs(settings_of(of), grid_record(of, 4))
    assert best in kept
    assert len(kept) == 3
    assert len(kept_configs(settings_of(of), grid_record(problem("identical", 0, 8), 3))) == 8


def test_a_run_that_waits_at_the_rung_is_continued() -> None:
    of = problem("near_ties", 3, 8)
    scores = list(grid_record(of, 3).scores)
    scores[2] = (SeedScores(rung=scores[2][0].rung, full=None),)
    record = RaceRecord(scores=tuple(scores), start=of.start, spent=0.0)
    assert freedom_of(record) == 7 * 2
    assert prospect_of_seeds(settings_of(of), record, slots=2).chance[-1] > 0


def test_medians_scatter_more_than_means() -> None:
    of = problem("near_ties", 4, 8)
    record, settings = grid_record(of, 3), settings_of(of)
    median = RaceSettings(
        tolerance=settings.tolerance, statistic=Statistic.MEDIAN, cap=1e9, run_cost=2.0, rung_cost=1.0
    )
    chances = [sum(prospect_of_seeds(each, record, slots=2).chance) for each in (median, settings)]
    assert chances[0] < chances[1]


def test_chances_come_true() -> None:
    """In `make bench` with more draws, and on recorded curves."""
    problems = [problem(family, number, 8) for family in REGULAR for number in range(9)]
    for name, of in cases(problems, slots=2).items():
        forecast, real = means(of)
        assert len(of) >= 80, name
        assert abs(forecast - real) <= 0.12, (name, "on two slots")
    for name, of in cases(problems, slots=1).items():
        forecast, real = means(of)
        assert abs(forecast - real) <= 0.12, name
        rows = calibration(of)
        assert rows[-1][3] >= 0.85, (name, rows)
        assert all(share <= 0.5 for _, number, chance, share in rows if chance < 0.3 and number >= 8), (name, rows)
        shares = [share for _, number, _, share in rows if number >= 8]
        assert shares[0] < shares[-1] - 0.3, (name, rows)


def test_more_slots_than_a_forecast_looks_ahead_do_not_make_it_hopeless() -> None:
    settings, record = settings_of(problem("spread", 3)), grid_record(problem("spread", 3), 3)
    few, many = (prospect_of_seeds(settings, record, slots=slots) for slots in (MOST_SLOTS, 1000))
    assert 0 < few.chance[-1] == many.chance[-1]
