"""What a race is asked for, as users type it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rlsweep.config.run import Mode
from rlsweep.errors import InputError
from rlsweep.planning.estimate import Measurement
from rlsweep.planning.forecast import Forecast, make_forecast
from rlsweep.planning.plan import Plan, make_plan
from rlsweep.planning.race import RUNG, changed_terms, race_plan, race_terms
from rlsweep.planning.race_forecast import forecast_race
from rlsweep.planning.race_options import RaceOptions

Write = Callable[..., Path]


def plan(*paths: Path) -> Plan:
    return make_plan(
        [str(path) for path in paths],
        base_config=None,
        mode=Mode.SMOKE,
        episodes=None,
        total_timesteps=4096,
        seeds=1,
        with_base=False,
    )


@pytest.fixture
def two(write_agent: Write) -> Plan:
    return plan(write_agent(), write_agent(sweep_variant="fast", learning_rate=1e-3))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (RaceOptions(tolerance="much"), "--tolerance much: give a positive number"),
        (RaceOptions(tolerance="0"), "--tolerance 0: give a positive number"),
        (RaceOptions(tolerance="-5%"), "--tolerance -5%: give a positive number"),
        (RaceOptions(tolerance="nan"), "--tolerance nan: give a positive number"),
        (RaceOptions(tolerance="inf"), "--tolerance inf: give a positive number"),
        (RaceOptions(tolerance="100%"), "--tolerance 100%: every config is within that"),
        (RaceOptions(confidence=0.5), "--confidence 0.5: give a number above 0.5 and below 1"),
        (RaceOptions(confidence=1.0), "--confidence 1: give a number above 0.5 and below 1"),
        (RaceOptions(confidence=95), "--confidence 95: give a number above 0.5 and below 1"),
        (RaceOptions(cap="0.19"), "--cap 0.19: that is less than one run of each config"),
        (RaceOptions(cap="1/6"), "--cap 1/6: that is less than one run of each config"),
        (RaceOptions(cap="1/0"), "--cap 1/0: give a share"),
        (RaceOptions(cap="half"), "--cap half: give a share"),
        (RaceOptions(cap="-1"), "--cap -1: give a share"),
        (RaceOptions(max_hours=0), "--max-hours 0: give a positive number of hours"),
        (RaceOptions(objective="wins"), "--objective wins: give one of evaluation_reward"),
        (RaceOptions(over_seeds="max"), "--over-seeds max: give one of mean, median"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_way_out(two: Plan, options: RaceOptions, said: str) -> None:
    with pytest.raises(InputError) as refused:
        race_plan(two, options)
    assert said in str(refused.value)


def test_one_config_is_no_race(write_agent: Write) -> None:
    with pytest.raises(InputError, match="A race compares configs, and a_v1 is the only one"):
        race_plan(plan(write_agent()), RaceOptions())


def test_win_rate_needs_winners(two: Plan) -> None:
    race = race_plan(two, RaceOptions(objective="win-rate"))
    forecast = Forecast(plan=race.plan, estimates=None, warnings=(), has_outcomes=False)
    with pytest.raises(InputError, match="--objective win_rate: episodes of open_spiel/connect_four have no winner"):
        race_terms(race, forecast)
    assert race_terms(race, replace(forecast, has_outcomes=None)).objective == "win_rate", "not known is not refused"


def test_defaults_and_what_every_trial_is_evaluated_for(two: Plan) -> None:
    race = race_plan(two, RaceOptions())
    terms = race_terms(race, Forecast(plan=race.plan, estimates=None, warnings=()))
    assert (terms.tolerance, terms.tolerance_is_share, terms.confidence, terms.cap) == (0.1, True, 0.95, 0.5)
    evaluations = [trial.config.score_evaluation for trial in race.plan.trials]
    assert all(each is not None and each.at == (RUNG, 1.0) and each.episodes == 100 for each in evaluations)
    assert [trial.key for trial in race.plan.trials] == [trial.key for trial in two.trials]


def test_a_smaller_tolerance_asks_for_more_episodes_and_training_reward_for_none(two: Plan) -> None:
    wins = race_plan(two, RaceOptions(objective="win_rate", tolerance="0.05"))
    assert wins.episodes is not None
    assert wins.episodes.count == 400, "sd of a win is at most a half: 0.5 / sqrt(400) is half of 0.05"
    training = race_plan(two, RaceOptions(objective="training_reward"))
    assert training.episodes is None
    assert all(trial.config.score_evaluation is None for trial in training.plan.trials)


def test_a_race_on_record_takes_other_terms_but_no_other_objective(two: Plan) -> None:
    race = race_plan(two, RaceOptions(max_hours=2))
    terms = race_terms(race, Forecast(plan=race.plan, estimates=None, warnings=()))
    changed = changed_terms(terms, RaceOptions(cap="1", tolerance="0.03"))
    assert (changed.cap, changed.tolerance, changed.tolerance_is_share) == (1.0, 0.03, False)
    assert changed.confidence == terms.confidence
    assert changed.max_hours is None, "the time limit is that of one drive"
    with pytest.raises(InputError, match="this race is about evaluation_reward"):
        changed_terms(terms, RaceOptions(objective="win_rate"))


def test_the_forecast_counts_evaluations_and_what_stays_paused(two: Plan) -> None:
    race = race_plan(two, RaceOptions(cap="1"))
    measured = Measurement(
        episodes=10,
        mean_episode_length=10.0,
        env_seconds_per_step=1e-4,
        policy_seconds_per_step=1e-4,
        minibatch_seconds=1e-3,
        peak_memory_bytes=1,
        checkpoint_bytes=1_000,
        n_actions=7,
        observation_size=4,
    )
    forecast = make_forecast(race.plan, [measured, measured])
    found = forecast_race(race, forecast, slots=2)
    assert found is not None
    least, likely, greatest, grid = (found.amounts[name] for name in ("least", "likely", "greatest", "grid"))
    assert grid.env_steps == 2 * 5 * (4096 + 2 * 100 * 10), "two evaluations of 100 episodes of 10 env steps a run"
    assert greatest.env_steps == grid.env_steps, "a cap of 1"
    assert least.runs <= likely.runs <= greatest.runs
    assert least.env_steps <= likely.env_steps <= greatest.env_steps
    assert found.checkpoint_bytes == 2 * 1_000 * greatest.runs, "one where a run paused, and one at its end"
    assert forecast_race(race, Forecast(plan=race.plan, estimates=None, warnings=()), slots=2) is None
