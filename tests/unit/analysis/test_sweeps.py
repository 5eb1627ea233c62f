"""Whole sweeps with known truth: what is said of them, and how often it is wrong."""

from collections import Counter
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsweep.analysis.scores import Source
from rlsweep.analysis.seed_record import SeedRecord
from rlsweep.analysis.sweeps import ConfigRecord, assess
from rlsweep.analysis.verdicts import VerdictKind
from rlsweep.runs import Budget, RunStatus


def _kinds(assessment):
    return [each.verdict.kind for each in assessment.configs]


def _reasons(assessment, place=0):
    return " / ".join(assessment.configs[place].verdict.reasons)


def test_a_clear_winner_is_promising_and_named(config):
    found = assess(
        [
            config("base", is_base=True),
            config("better", lambda progress: 3 * progress, offset=10),
            config("worse", lambda progress: -progress, offset=20),
        ]
    )
    assert _kinds(found) == [VerdictKind.CLEARLY_WORSE, VerdictKind.PROMISING, VerdictKind.NOT_IMPROVING]
    assert found.ranking.winner == 1
    assert found.ranking.ranks == (2, 1, 3)
    assert "beats base in 100% of seed pairs" in _reasons(found, 1)
    assert "significantly worse than better: score 0.89 against 2.70" in _reasons(found, 0)
    assert "no improvement: " in _reasons(found, 2)


def test_a_config_of_one_seed_has_no_rank_beside_those_of_more(config, record):
    def lone(name, end, offset):
        seeds = (record(lambda progress: end * progress, seed=offset),)
        return ConfigRecord(name=name, is_base=False, seeds=seeds)

    several = [config("worse", lambda progress: -progress), config("better", lambda progress: 3 * progress, offset=10)]
    found = assess([lone("low", 0.2, 20), *several, lone("lucky", 9, 30)])
    ranking = found.ranking
    assert ranking.ranks == (None, 2, 1, None)
    assert ranking.groups == ((2,), (1,))
    assert ranking.untested == (3, 0)
    assert ranking.winner is None
    assert "The 2 configs with one seed have no rank" in ranking.rank_words
    assert found.configs[0].verdict.kind is not VerdictKind.CLEARLY_WORSE
    alone = assess([lone("low", 0.2, 20), lone("lucky", 9, 30)]).ranking
    assert (alone.ranks, alone.untested) == ((1, 1), ())
    assert "no rank" not in alone.rank_words


def test_identical_configs_are_seldom_promising_and_never_won_by_one(record):
    """Measured over 100 sweeps of four equal configs that learn: 4% promising at three seeds, no winner."""
    rng = np.random.default_rng(5)
    verdicts, winners = Counter(), 0
    for sweep in range(40):
        records = [
            ConfigRecord(
                name=str(place),
                is_base=place == 0,
                seeds=tuple(
                    record(partial(np.multiply, end), seed=1000 * sweep + 10 * place + seed, episodes=120)
                    for seed, end in enumerate(rng.normal(1, 0.1, 3))
                ),
            )
            for place in range(4)
        ]
        found = assess(records)
        verdicts.update(_kinds(found))
        winners += found.ranking.winner is not None
    assert verdicts[VerdictKind.PROMISING] <= 0.1 * 160
    assert verdicts[VerdictKind.UNSTABLE] == verdicts[VerdictKind.NOT_IMPROVING] == 0
    assert winners <= 2


def test_of_many_equal_configs_none_is_called_different(record):
    """Without a correction for the number of pairs, the best of eight differs from the worst in most sweeps."""
    rng = np.random.default_rng(7)
    told_apart = 0
    for sweep in range(30):
        records = [
            ConfigRecord(
                name=str(place),
                is_base=False,
                seeds=tuple(
                    record(partial(np.multiply, end), seed=1000 * sweep + 10 * place + seed, episodes=60)
                    for seed, end in enumerate(rng.normal(1, 0.1, 3))
                ),
            )
            for place in range(8)
        ]
        told_apart += len(assess(records).ranking.groups) > 1
    assert told_apart <= 4


def test_flat_configs_are_never_promising(record):
    records = [
        ConfigRecord(
            name=str(place), is_base=False, seeds=tuple(record(np.zeros_like, seed=100 * place + s) for s in range(3))
        )
        for place in range(40)
    ]
    kinds = Counter(_kinds(assess(records)))
    assert kinds[VerdictKind.PROMISING] == 0
    assert kinds[VerdictKind.UNSTABLE] == 0
    assert kinds[VerdictKind.NOT_IMPROVING] > 0


def test_a_collapse_is_unstable(config):
    def collapse(progress):
        return np.where(progress < 0.6, progress, 0.0)

    found = assess([config("base", is_base=True), config("collapses", collapse, offset=10)])
    assert _kinds(found)[1] is VerdictKind.UNSTABLE
    assert "3 of 3 seeds fell back" in _reasons(found, 1)
    assert any("unstable learning" in sign.text for sign in found.configs[1].signs if not sign.good)


def test_seeds_that_disagree_are_unstable(record):
    runs = (record(lambda progress: 4 * progress), record(np.zeros_like, seed=1), record(np.zeros_like, seed=2))
    found = assess([ConfigRecord(name="luck", is_base=False, seeds=runs)])
    assert _kinds(found) == [VerdictKind.UNSTABLE]
    assert "seeds end far apart" in _reasons(found)


def test_large_updates_and_a_misled_critic_are_unstable(config):
    found = assess(
        [
            config("base", is_base=True),
            config("usual", offset=10),
            config("wild", offset=20, kl=0.5),
            config("blind", offset=30, explained_variance=-3.0),
        ]
    )
    assert _kinds(found)[2:] == [VerdictKind.UNSTABLE, VerdictKind.UNSTABLE]
    assert "approximate KL 0.50" in _reasons(found, 2)
    assert "explained variance -3.00" in _reasons(found, 3)


def test_the_kl_of_a_learning_rate_three_times_the_usual_is_no_fault(config):
    """As recorded on connect_four: 0.02 at 3e-4, 0.05 at 1e-3, and both learn."""
    found = assess([config("base", is_base=True), config("low", offset=10), config("high", offset=20, kl=0.05)])
    assert VerdictKind.UNSTABLE not in _kinds(found)


def test_a_diverged_seed_makes_a_config_unstable_and_most_seeds_failed_make_it_failed(config, record):
    def broken(seed):
        return record(seed=seed, status=RunStatus.FAILED, diverged=True)

    one = ConfigRecord(name="one", is_base=False, seeds=(record(), record(seed=1), broken(2)))
    two = ConfigRecord(name="two", is_base=False, seeds=(record(seed=3), broken(4), broken(5)))
    found = assess([one, two])
    assert _kinds(found) == [VerdictKind.UNSTABLE, VerdictKind.FAILED]
    assert "NaN or infinite in 1 of 3 seeds" in _reasons(found)
    assert "1 of 3 seeds failed and not in the means" in _reasons(found)
    assert "2 of 3 seeds failed" in _reasons(found, 1)
    assert found.configs[0].figures.last.seeds == 2


def test_runs_that_ended_without_an_episode_failed(config):
    found = assess([config("empty", episodes=0, updates=0)])
    assert _kinds(found) == [VerdictKind.FAILED]
    assert "ended without a finished episode" in _reasons(found)
    assert found.ranking.ranks == (None,)


def test_what_was_stopped_did_not_fail(config, record):
    found = assess(
        [
            config("unbegun", episodes=0, updates=0, status=RunStatus.STOPPED, has_begun=False),
            config("slow", episodes=0, updates=3, status=RunStatus.STOPPED),
            ConfigRecord(
                name="begun",
                is_base=False,
                seeds=(
                    record(status=RunStatus.STOPPED),
                    record(seed=1, episodes=0, updates=0, status=RunStatus.STOPPED, has_begun=False),
                ),
            ),
        ]
    )
    assert _kinds(found) == [VerdictKind.NOT_STARTED, VerdictKind.UNDECIDED, VerdictKind.UNDECIDED]
    assert _reasons(found) == "it was stopped before its first run began"
    assert _reasons(found, 1) == "no finished episode / 3 of 3 seeds stopped before the budget was spent"
    assert "1 of 2 seeds stopped before the budget was spent / 1 of 2 seeds not started" in _reasons(found, 2)


def test_too_few_updates_show_nothing(config):
    found = assess([config("base", is_base=True, updates=1), config("other", updates=1, offset=10)])
    assert _kinds(found) == [VerdictKind.UNDECIDED] * 2
    assert "only 1 policy update; about 10 are needed" in _reasons(found)
    assert found.configs[0].signs == ()


def test_too_few_updates_name_no_winner(config):
    found = assess([config("base", updates=3), config("better", lambda progress: 5 * progress, updates=3, offset=10)])
    assert found.ranking.ranks == (2, 1)
    assert found.ranking.winner is None


@pytest.mark.parametrize(
    ("shape", "kind", "is_provisional"),
    [
        (lambda progress: progress, VerdictKind.UNDECIDED, False),
        (lambda progress: -progress, VerdictKind.NOT_IMPROVING, True),
        (lambda progress: np.where(progress < 0.6, progress, 0.0), VerdictKind.UNSTABLE, False),
    ],
)
def test_what_one_seed_may_say(config, shape, kind, is_provisional):
    found = assess([config("base", seeds=1, is_base=True), config("other", shape, seeds=1, offset=10)])
    judged = found.configs[1]
    assert (judged.verdict.kind, judged.verdict.provisional) == (kind, is_provisional)
    assert found.ranking.ranks == (1, 1)
    if kind is VerdictKind.UNDECIDED:
        assert "a verdict needs at least 2 more seeds" in _reasons(found, 1)


def test_two_seeds_are_too_few_to_be_promising(config):
    found = assess([config("only", seeds=2, noise=0.001)])
    assert found.configs[0].figures.gain.interval.low > 0
    assert _kinds(found) == [VerdictKind.UNDECIDED]
    assert "a verdict needs at least 1 more seed" in _reasons(found)


def test_undecided_says_how_many_more_seeds(config):
    def noisy(progress):
        return 0.02 * progress

    found = assess([config("base", noisy, is_base=True), config("other", noisy, offset=10, noise=0.3)])
    assert _kinds(found)[1] is VerdictKind.UNDECIDED
    assert "is not significant at 3 seeds" in _reasons(found, 1)
    assert "more seeds" in _reasons(found, 1) or "more than 17 seeds" in _reasons(found, 1)


def test_the_only_config_of_a_sweep_can_be_promising(config):
    found = assess([config("only")])
    assert _kinds(found) == [VerdictKind.PROMISING]
    assert "no other config to compare it with" in _reasons(found)
    assert found.ranking.winner is None


def test_a_running_sweep_is_judged_provisionally(config):
    found = assess([config("base", status=RunStatus.RUNNING), config("waits", episodes=0, status=RunStatus.PENDING)])
    assert all(each.verdict.provisional for each in found.configs)
    assert "3 of 3 seeds not finished yet" in _reasons(found)
    assert "no finished episode yet" in _reasons(found, 1)


def test_evaluations_rank_where_every_seed_has_one(config):
    evaluations = {"evaluation_steps": np.array([100, 3500]), "evaluation_reward": np.array([0.0, 7.0])}
    with_some = [config("a", **evaluations), config("b", offset=10)]
    with_all = [config("a", **evaluations), config("b", offset=10, **evaluations)]
    assert assess(with_some).ranking.source is Source.TRAINING
    still_training = assess([with_all[0], config("b", offset=10, status=RunStatus.RUNNING)]).ranking
    assert (still_training.source, still_training.ranks) == (Source.EVALUATIONS, (1, None))
    found = assess(with_all).ranking
    assert found.source is Source.EVALUATIONS
    assert found.scores == ((7.0,) * 3, (7.0,) * 3)


def test_signs_of_a_good_and_a_bad_config(config):
    won = np.tile([0.0, 1.0], 200)
    found = assess(
        [
            config("good", noise=0.05, won=won),
            config("bad", lambda progress: -0.5 - progress, noise=0.5, offset=10, won=won),
        ]
    )
    good = [sign.text for sign in found.configs[0].signs if sign.good]
    bad = [sign.text for sign in found.configs[1].signs if not sign.good]
    for start in ("steady upward trend", "low variance between episodes", "consistent across seeds"):
        assert any(text.startswith(start) for text in good), (start, good)
    for start in ("downward trend", "high variance", "no improvement", "negative or zero rewards"):
        assert any(text.startswith(start) for text in bad), (start, bad)


def test_negative_rewards_are_no_warning_where_nothing_is_won(config):
    found = assess([config("pendulum", lambda progress: -200 + 50 * progress)])
    assert not any("negative" in sign.text for sign in found.configs[0].signs)


_rewards = st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, float("nan"), float("inf"), float("-inf")])


@st.composite
def _odd_seed(draw):
    rewards = draw(st.lists(_rewards, max_size=30))
    lengths = draw(st.lists(st.integers(1, 1000), min_size=len(rewards), max_size=len(rewards)))
    updates = draw(st.lists(_rewards, max_size=15))
    evaluations = draw(st.lists(_rewards, max_size=3))
    values = np.array(updates, dtype=np.float64)
    return SeedRecord(
        seed=draw(st.integers(0, 9)),
        status=draw(st.sampled_from(list(RunStatus))),
        has_begun=draw(st.booleans()),
        diverged=draw(st.booleans()),
        budget=Budget(),
        trained_steps=sum(lengths),
        env_steps=np.cumsum(np.array(lengths, dtype=np.int64)),
        length=np.array(lengths, dtype=np.int64),
        reward=np.array(rewards, dtype=np.float64),
        won=np.array([draw(st.sampled_from([0.0, 1.0, float("nan")])) for _ in rewards], dtype=np.float64),
        update_steps=np.arange(1, len(updates) + 1),
        approx_kl=values,
        clip_fraction=values,
        entropy=values,
        explained_variance=values,
        gradient_steps=values,
        losses=np.zeros((len(updates), 2)),
        evaluation_steps=np.arange(1, len(evaluations) + 1),
        evaluation_reward=np.array(evaluations, dtype=np.float64),
        evaluation_length=np.ones(len(evaluations)),
        evaluation_win_rate=np.full(len(evaluations), draw(st.sampled_from([0.5, float("nan")]))),
        evaluation_is_score=np.full(len(evaluations), draw(st.booleans())),
    )


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(st.lists(_odd_seed(), max_size=4), max_size=4), st.integers(-1, 3))
def test_odd_records_get_a_verdict_and_no_exception(sweep, base):
    records = [
        ConfigRecord(name=f"config {place}", is_base=place == base, seeds=tuple(seeds))
        for place, seeds in enumerate(sweep)
    ]
    found = assess(records)
    assert len(found.configs) == len(records)
    for judged, record in zip(found.configs, records, strict=True):
        assert judged.verdict.reasons
        finite = [value for value in (judged.figures.last, judged.figures.gain) if value is not None]
        assert all(np.isfinite(each.mean) for each in finite)
        if len(record.seeds) == 1:
            assert judged.verdict.kind is not VerdictKind.PROMISING
