from rlsweep.deciding.caveats import FewConfigs, StillAtStart, StillRising, TwoClusters, caveats_of
from rlsweep.deciding.records import RaceRecord, SeedScores


def record(*full: tuple[float, ...], rungs: tuple[float, ...] | None = None) -> RaceRecord:
    """Full scores by config; at the rung 0.9 of them, or what is given for all seeds of a config."""
    shares = [[0.9 * score for score in seeds] for seeds in full]
    if rungs is not None:
        shares = [[rung] * len(seeds) for rung, seeds in zip(rungs, full, strict=True)]
    scores = tuple(
        tuple(SeedScores(rung=rung, full=score) for rung, score in zip(early, seeds, strict=True))
        for early, seeds in zip(shares, full, strict=True)
    )
    return RaceRecord(scores=scores, start=0.0, spent=0.0)


def caveats(of: RaceRecord, leader: int = 0) -> tuple:
    return caveats_of(of, leader=leader, leader_sd=0.02, tolerance=0.05)


def test_usual_scores_have_no_caveat():
    assert caveats(record((0.8, 0.82, 0.78), (0.7, 0.72), (0.5,), (0.02,))) == ()


def test_two_configs_are_too_few():
    (found,) = caveats(record((0.8, 0.82), (0.7,)))
    assert found == FewConfigs(configs=2)
    assert found.forbids_claim


def test_most_runs_at_the_starting_level():
    (found,) = caveats(record((0.8, 0.82, 0.78), (0.01,), (0.0,), (0.02,), (-3.0,)))
    assert found == StillAtStart(runs=4, of=5)
    assert found.forbids_claim
    assert caveats(record((0.8, 0.82, 0.78), (0.01,), (0.0,), (0.02,), (0.3,))) == ()


def test_a_best_config_that_may_lead_by_luck_has_not_left_the_start():
    of = record((0.05, 0.07), (0.03,), (0.04,))
    (found,) = caveats_of(of, leader=0, leader_sd=0.03, tolerance=0.05)
    assert found == StillAtStart(runs=3, of=3)


def test_a_leader_whose_seeds_find_the_reward_or_nothing():
    (found,) = caveats(record((0.9, 0.91, 0.0, 0.92), (0.3,), (0.4,)))
    assert found == TwoClusters(configs=(0,), of=1)
    assert found.forbids_claim


def test_two_other_configs_with_two_clusters():
    split = record((0.9, 0.9, 0.88), (0.0, 0.8), (0.02, 0.7), (0.5, 0.52))
    assert caveats(split) == (TwoClusters(configs=(1, 2), of=4),)
    assert caveats(record((0.9, 0.9, 0.88), (0.0, 0.8), (0.6, 0.7), (0.5, 0.52))) == ()


def test_two_clusters_away_from_the_start():
    (found,) = caveats(record((0.3, 0.95, 0.31, 0.96, 0.94), (0.3,), (0.4,)))
    assert found == TwoClusters(configs=(0,), of=1)
    assert caveats(record((0.3, 0.55, 0.65, 0.8, 0.95), (0.3,), (0.4,))) == ()


def test_a_config_that_would_overtake_with_twice_the_budget():
    full = ((0.8, 0.8, 0.8), (0.7, 0.7), (0.3,))
    (found,) = caveats(record(*full, rungs=(0.79, 0.4, 0.3)))
    assert isinstance(found, StillRising)
    assert [each.config for each in found.overtaking] == [1]
    assert not found.forbids_claim
    assert caveats(record(*full, rungs=(0.79, 0.65, 0.3))) == ()


def test_a_rise_without_end_forbids_a_claim():
    (found,) = caveats(record((0.6, 0.6, 0.6), (0.55, 0.55), (0.3,), rungs=(0.3, 0.05, 0.3)))
    assert isinstance(found, StillRising)
    assert found.forbids_claim
