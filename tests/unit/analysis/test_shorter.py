"""Would a shorter sweep have said the same: since when ranks are unchanged, and who closes in on the leader."""

from collections.abc import Callable

import numpy as np
import pytest

from rlsweep.analysis.intervals import p_value_of_difference, p_values_of_pairs
from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.scores import Source
from rlsweep.analysis.seed_record import SeedRecord
from rlsweep.analysis.shorter import SHARES, Shorter, shorter
from rlsweep.analysis.sweeps import ConfigRecord

REWARD = Objective.TRAINING_REWARD


def looked_back(*configs: ConfigRecord, objective: Objective = REWARD) -> Shorter:
    found = shorter([config.seeds for config in configs], objective)
    assert found is not None
    return found


def level(height: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda progress: np.full_like(progress, height)


def test_an_order_that_was_there_from_the_start(config) -> None:
    found = looked_back(config("low", level(0.1)), config("high", level(0.9), offset=9))
    assert [step.share for step in found.steps] == list(SHARES)
    assert found.source is Source.TRAINING
    assert all(step.groups == ((1,), (0,)) for step in found.steps)
    assert (found.ranks_since, found.top_since, found.leader_since) == (0.1, 0.1, 0.1)
    assert found.closing_in is None
    assert found.steps[4].ranks == {1: 1, 0: 2}
    assert found.steps[4].updates == 10
    assert found.steps[4].env_steps == pytest.approx(0.5 * found.steps[-1].env_steps, rel=0.06)


def test_a_config_that_comes_late_changes_the_order(config) -> None:
    late = config("late", lambda progress: np.where(progress > 0.5, 0.9, 0.0), noise=0.05)
    found = looked_back(config("early", level(0.5), noise=0.05), late, config("low", level(0.1), noise=0.05))
    assert found.steps[-1].order == (1, 0, 2)
    assert found.steps[0].order[0] == 0
    assert 0.6 <= found.leader_since <= found.top_since <= found.ranks_since <= 0.8
    assert looked_back(config("early", level(0.5), noise=0.05), late, objective=Objective.EPISODE_LENGTH).steps[
        -1
    ].groups == ((0, 1),)


def test_an_order_that_turned_and_came_back_is_unchanged_since_then(config) -> None:
    dips = config("dips", lambda progress: np.where(abs(progress - 0.45) < 0.15, 0.0, 0.9), noise=0.05)
    found = looked_back(dips, config("level", level(0.5), noise=0.05, offset=9))
    assert [step.order[0] for step in found.steps[:1] + found.steps[-1:]] == [0, 0]
    assert 1 in {step.order[0] for step in found.steps}
    assert 0.6 <= found.leader_since <= found.ranks_since


def test_equal_configs_tie_at_every_share(config) -> None:
    found = looked_back(*(config(str(number), level(0.5), offset=9 * number) for number in range(3)))
    tied = [step for step in found.steps if len(step.groups) == 1]
    assert len(tied) >= 8
    assert {step.ranks[2] for step in tied} == {1}


def test_one_that_closes_in_may_cross_where_its_line_does(config) -> None:
    leader = config("leader", level(0.8), seeds=5, noise=0.03)
    rising = config("rising", lambda progress: 0.2 + 0.5 * progress, seeds=5, offset=9, noise=0.03)
    slow = config("slow", lambda progress: 0.1 + 0.1 * progress, seeds=5, offset=19, noise=0.03)
    closing = looked_back(leader, rising, slow).closing_in
    assert closing is not None
    assert (closing.config, closing.leader) == (1, 0)
    assert closing.at == pytest.approx(4 / 3, abs=0.05)
    assert 1 < closing.low < closing.at < closing.high < 1.6


def test_no_crossing_is_foretold_without_a_trend_or_far_away(config) -> None:
    leader = config("leader", level(0.8), seeds=4, noise=0.03)
    level_rival = config("level", level(0.7), seeds=4, offset=9, noise=0.03)
    far = config("far", lambda progress: 0.1 + 0.1 * progress, seeds=4, offset=19, noise=0.03)
    assert looked_back(leader, level_rival, far).closing_in is None
    rising = config("rising", lambda progress: 0.2 + 0.5 * progress, seeds=2, offset=9, noise=0.03)
    assert looked_back(leader, rising).closing_in is None


def test_crossings_are_seldom_foretold_of_equal_configs(config) -> None:
    told = [
        looked_back(*(config(str(n), level(0.5), seeds=3, offset=50 * draw + 9 * n) for n in range(4))).closing_in
        for draw in range(15)
    ]
    assert sum(each is not None for each in told) <= 2


def test_shares_that_the_updates_cannot_tell_apart_are_left_out(config) -> None:
    found = looked_back(config("a", level(0.1), updates=4), config("b", level(0.9), updates=4, offset=9))
    assert len(found.steps) <= 5
    assert found.steps[0].updates == 1
    assert found.steps[-1].updates == 4


def test_nothing_without_two_configs_that_have_scores(config, record: Callable[..., SeedRecord]) -> None:
    assert shorter([config("a").seeds], REWARD) is None
    assert shorter([config("a").seeds, ()], REWARD) is None
    assert shorter([config("a").seeds, (record(episodes=0, updates=0),)], REWARD) is None


def test_pairs_are_tested_as_each_alone() -> None:
    rng = np.random.default_rng(0)
    scores = [rng.normal(size=size).tolist() for size in (1, 2, 3, 5, 0)] + [[1.0, 1.0], [1.0, 1.0, 1.0], [2.0, 2.0]]
    found = p_values_of_pairs(scores)
    for one, ours in enumerate(scores):
        for other, theirs in enumerate(scores):
            if one != other:
                assert found[one, other] == pytest.approx(p_value_of_difference(ours, theirs), rel=1e-12)
