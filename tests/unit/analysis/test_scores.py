"""What a run's score is, and that a run has it at a share of its budget whether it went on from there or not."""

from dataclasses import replace

import numpy as np
import pytest

from rlsweep.analysis.figures import config_figures
from rlsweep.analysis.objectives import Objective
from rlsweep.analysis.ranking import rank
from rlsweep.analysis.scores import Source, common_source, definition, interval_score, score_of, starting_level
from rlsweep.runs import Budget

REWARD, LENGTH, WINS = Objective.EVALUATION_REWARD, Objective.EPISODE_LENGTH, Objective.WIN_RATE


@pytest.fixture
def simple(record):
    """A run of 100 episodes of 10 env steps, with rewards 1 to 100, an update every 100 env steps."""

    def make(**given):
        values = {
            "env_steps": np.arange(1, 101) * 10,
            "trained_steps": 1000,
            "reward": np.arange(1.0, 101.0),
            "length": np.arange(1, 101),
            "won": np.repeat([0.0, 1.0], 50),
            "update_steps": np.arange(1, 11) * 100,
            "budget": Budget(total_timesteps=1000),
        }
        return record(episodes=100, updates=10, **(values | given))

    return make


EVALUATIONS = {
    "evaluation_steps": np.array([250, 500, 750, 1000]),
    "evaluation_reward": np.array([1.0, 2.0, 3.0, 4.0]),
    "evaluation_win_rate": np.array([0.1, 0.2, 0.3, 0.4]),
    "evaluation_length": np.array([40.0, 30.0, 20.0, 10.0]),
}


@pytest.mark.parametrize(
    ("objective", "given", "until", "score"),
    [
        (REWARD, {}, 1.0, 90.5),
        (Objective.TRAINING_REWARD, EVALUATIONS, 1.0, 90.5),
        (REWARD, EVALUATIONS, 1.0, 4.0),
        (REWARD, EVALUATIONS, 0.5, 2.0),
        (REWARD, EVALUATIONS, 0.4, 36.5),  # none in the last fifth of 400 env steps: episodes 33 to 40
        (WINS, {}, 1.0, 1.0),
        (WINS, {}, 0.6, 10 / 12),
        (WINS, EVALUATIONS, 1.0, 0.4),
        (LENGTH, {}, 1.0, 90.5),
        (LENGTH, EVALUATIONS, 1.0, 10.0),
        (WINS, {"won": np.full(100, np.nan)}, 1.0, None),
        (REWARD, EVALUATIONS | {"evaluation_is_score": np.array([False, True, False, True])}, 0.5, 2.0),
        (REWARD, EVALUATIONS | {"evaluation_is_score": np.array([False, False, True, False])}, 0.7, 3.0),
        (REWARD, EVALUATIONS | {"evaluation_is_score": np.array([True, False, False, False])}, 1.0, 4.0),
    ],
)
def test_a_score_comes_from_the_best_source_there_is(simple, objective, given, until, score):
    assert score_of(simple(**given), objective, until=until) == (None if score is None else pytest.approx(score))


def test_a_run_that_paused_has_the_score_that_it_has_there_once_it_went_on(simple):
    """It pauses at the first update that reaches the share, here at 500 of 1,000 env steps or 50 of 100 episodes."""
    for budget in (Budget(total_timesteps=1000), Budget(episodes=100), Budget(total_timesteps=1000, episodes=110)):
        whole = simple(budget=budget, **EVALUATIONS)
        names = ("env_steps", "reward", "length", "won")
        paused = replace(
            whole,
            trained_steps=500,
            update_steps=whole.update_steps[:5],
            **{name: getattr(whole, name)[:50] for name in names},
            **{name: getattr(whole, name)[:2] for name in (*EVALUATIONS, "evaluation_is_score")},
        )
        for objective in Objective:
            for until in (0.42, 0.5):
                assert score_of(paused, objective, until=until) == score_of(whole, objective, until=until)
            assert score_of(paused, objective) == score_of(whole, objective, until=0.5)


def test_scores_are_compared_by_a_source_that_all_runs_have(simple):
    both, one = {Source.EVALUATIONS: 1.0, Source.TRAINING: 2.0}, {Source.TRAINING: 3.0}
    assert common_source([both, both]) is Source.EVALUATIONS
    assert common_source([both, one]) is common_source([]) is Source.TRAINING


def test_headers_say_what_a_score_is():
    assert definition(REWARD, Source.EVALUATIONS) == "evaluation reward, mean of the last fifth"
    assert definition(REWARD, Source.TRAINING) == "training reward, mean of the last fifth"
    assert definition(REWARD, Source.SCORE_EVALUATION) == "evaluation reward, at the end of the budget"
    assert definition(WINS, Source.TRAINING, until=0.5) == (
        "win rate of training episodes, mean of the last fifth up to 50% of the budget"
    )
    assert definition(LENGTH, Source.SCORE_EVALUATION, until=0.5) == (
        "episode length of evaluations, at 50% of the budget"
    )


def test_shorter_episodes_are_better(simple):
    assert [objective for objective in Objective if objective.signed(1.0) == -1.0] == [LENGTH]
    long, short = ([simple(length=np.full(100, length))] for length in (20, 10))
    found = rank([config_figures(long, LENGTH), config_figures(short, LENGTH)], LENGTH)
    assert found.scores == ((20.0,), (10.0,))
    assert found.groups == ((1, 0),)


def test_the_starting_level_is_that_of_the_episodes_before_the_first_update(simple):
    early = simple()  # episodes 1 to 10 end up to the first update
    late = simple(update_steps=np.array([5]), losses=np.zeros((1, 2)))  # none ended: the first stands for them
    none = simple(update_steps=np.zeros(0, dtype=np.int64), losses=np.zeros((0, 2)))
    assert starting_level([early], REWARD) == pytest.approx(5.5)
    assert starting_level([late], LENGTH) == 1.0
    assert starting_level([none], WINS) == 0.5
    assert starting_level([early, late], REWARD) == pytest.approx((5.5 + 1) / 2)
    assert starting_level([], REWARD) is None


@pytest.mark.parametrize(
    ("objective", "given", "after", "until", "score"),
    [
        (Objective.TRAINING_REWARD, EVALUATIONS, 200, 300, 25.5),  # episodes 21 to 30
        (WINS, {}, 450, 550, 0.5),
        (LENGTH, {}, 900, 1000, 95.5),
        (Objective.TRAINING_REWARD, {}, 995, 999, None),
        (REWARD, EVALUATIONS | {"evaluation_is_score": np.array([True, True, False, False])}, 250, 500, 2.0),
        (REWARD, EVALUATIONS | {"evaluation_is_score": np.array([True, False, False, False])}, 250, 500, None),
        (REWARD, EVALUATIONS | {"evaluation_is_score": np.array([True, True, False, False])}, 400, 600, None),
    ],
)
def test_a_score_at_an_interval_is_of_that_interval_alone(simple, objective, given, after, until, score) -> None:
    assert interval_score(simple(**given), objective, after=after, until=until) == score
