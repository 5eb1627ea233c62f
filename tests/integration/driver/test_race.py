"""Races on a real database, with simulated trials: what is on record, and what a driver makes of it."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest

from rlsweep.api.race import terms_of_sweep
from rlsweep.deciding.race import decide
from rlsweep.driver.decided_runs import DecidedRuns
from rlsweep.driver.race import RaceRule
from rlsweep.errors import DriverBusyError, InputError
from rlsweep.jsonable import jsonable
from rlsweep.planning.race_options import RaceOptions
from rlsweep.race_records import Statistic
from rlsweep.reports.confirmation import confirmation, to_confirm
from rlsweep.reports.pick import pick_of
from rlsweep.reports.race_answer import race_answer
from rlsweep.reports.race_record import RaceReader, inputs_of
from rlsweep.reports.summary import summarise
from rlsweep.runs import Budget, RunStatus
from rlsweep.store import decisions, races, recording, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.store.races import NewDecision
from rlsweep.store.recording import Batch, Progress
from tests.helpers.raced import (
    DRIVER,
    TERMS,
    create_race,
    drawn,
    race_of,
    run_race,
    statuses,
    train,
)

pytestmark = pytest.mark.integration

TRUTH = (0.2, 0.5, 0.8, 0.3, 0.55, 0.25, 0.6, 0.4)
SCORE = drawn(TRUTH, noise=0.02, seed=1)


def decisions_of(database: Database, sweep_id):  # type: ignore[no-untyped-def]
    return [(made.settings, made.record["runs"], made.decision) for made in races.decisions(database, sweep_id)]


def test_a_race_takes_the_best_config_and_leaves_the_others_paused(database: Database) -> None:
    race = create_race(database, "clear", len(TRUTH))
    run_race(database, race, SCORE)
    sweep = sweeps.settle(database, race.sweep_id)
    answer = race_answer(database, sweep)
    assert answer is not None
    assert answer.take == "raced_c2"
    assert (answer.stop, answer.is_claimed, answer.is_winner) == ("safe", True, True)
    counted = statuses(database, race)
    assert 1 <= counted[RunStatus.PAUSED] <= 3, "the worse 40% wait at the rung, and few of them are continued"
    assert counted[RunStatus.COMPLETED] + counted[RunStatus.PAUSED] == sum(counted.values())
    assert sweep.status.value == "completed", "although runs are paused"
    assert answer.cost.env_steps < 0.5 * answer.cost.grid_env_steps
    report = summarise(database, sweep)
    pick = pick_of(report, report.race, report.race_lines)
    assert pick is not None
    assert (pick.config.name, pick.is_winner, pick.risk) == ("raced_c2", True, answer.risk)
    assert pick.standing == "the winner of the race"
    assert answer.planned_configs is None
    assert "DRAWN" not in [line.heading for line in report.race_lines], "all its configs were there from the start"


def test_a_race_over_medians_says_so(database: Database) -> None:
    race = create_race(database, "medians", 4, replace(TERMS, statistic=Statistic.MEDIAN, tolerance=0.2))
    run_race(database, race, drawn((0.2, 0.9, 0.3, 0.4), noise=0.02, seed=4))
    report = summarise(database, sweeps.settle(database, race.sweep_id))
    assert report.race is not None
    assert (report.race.take, report.race.over_seeds) == ("raced_c1", "median")
    why = next(line.text for line in report.race_lines if line.heading == "WHY")
    assert "(median of 3 seeds); next is raced_c" in why


def test_every_decision_comes_out_the_same_from_its_record(database: Database) -> None:
    race = create_race(database, "replayed", len(TRUTH))
    run_race(database, race, SCORE, slots=3, order=[2, 0, 1, 1, 2, 0, 2])
    made = races.decisions(database, race.sweep_id)
    assert len(made) > 5
    for most in (1, 2, 3, len(made) - 1, len(made), len(made) + 1):
        some = [each.number for each in races.decisions(database, race.sweep_id, most=most)]
        assert len(some) <= most
        assert some[-1] == len(made)
        assert len({later - earlier for earlier, later in pairwise(some)}) <= 1, "at even distances"
    for each in made:
        settings, record, free = inputs_of(each)
        assert jsonable(decide(settings, record, free=free)) == each.decision


def test_a_driver_after_a_kill_makes_the_very_next_decision(database: Database) -> None:
    peaceful, killed = (create_race(database, name, len(TRUTH)) for name in ("peaceful", "killed"))
    run_race(database, peaceful, SCORE, slots=1)
    for _ in range(100):
        if run_race(database, race_of(database, sweeps.get(database, "killed")), SCORE, slots=1, most_runs=1) == []:
            break

    def without_ids(sweep_id):  # type: ignore[no-untyped-def]
        return [
            (settings, [{**run, "run_id": None} for run in runs], decision)
            for settings, runs, decision in decisions_of(database, sweep_id)
        ]

    assert without_ids(killed.sweep_id) == without_ids(peaceful.sweep_id)


def test_a_decision_does_not_depend_on_how_far_a_run_has_come(database: Database) -> None:
    race = create_race(database, "on its way", 3)
    run_race(database, race, SCORE, slots=1, most_runs=3)
    taken = DecidedRuns(database, RaceRule(database, race), driver=DRIVER, slots=1, on_scheduled=lambda _: None).take()
    assert taken is not None
    before = RaceReader(database, race).read()
    run = transitions.begin_attempt(database, taken, {})
    assert run is not None
    recording.flush(database, taken, run.attempt, Batch(progress=Progress(episodes=90, updates=9, env_steps=900)))
    assert races.costs(database, race.sweep_id)[taken] == pytest.approx(1900)
    (on_its_way,) = (each for each in RaceReader(database, race).read().runs if each.run_id == taken)
    assert on_its_way in before.runs
    assert on_its_way.spent == pytest.approx(1500)


def test_a_decision_is_on_record_before_its_runs_and_never_without_the_lease(database: Database) -> None:
    race = create_race(database, "followed", 4)
    decision = NewDecision(free=1, settings={}, record={"runs": [], "configs": [], "start": 0}, decision={}, stop=None)
    with pytest.raises(DriverBusyError, match="no longer driven by other"):
        races.decide(database, race.sweep_id, "other", decision, [])
    assert races.decisions(database, race.sweep_id) == []
    sweeps.request_stop(database, race.sweep_id)
    assert races.decide(database, race.sweep_id, DRIVER, decision, []) is None
    assert races.decisions(database, race.sweep_id) == []


def test_a_stopped_race_goes_on_where_it_stood(database: Database) -> None:
    race = create_race(database, "stopped", len(TRUTH))
    run_race(database, race, SCORE, slots=1, most_runs=6)
    sweeps.request_stop(database, race.sweep_id)
    stopped = sweeps.settle(database, race.sweep_id)
    assert stopped.status.value == "stopped"
    assert statuses(database, race)[RunStatus.STOPPED] == len(TRUTH), "paused and pending ones alike"

    sweeps.release(database, race.sweep_id, DRIVER)
    sweeps.assign(database, race.sweep_id, resources={}, address=None)
    sweeps.take_lease(database, race.sweep_id, DRIVER)
    decisions.pause_waiting(database, race.sweep_id)
    transitions.take_up(database, race.sweep_id, {RunStatus.PENDING, RunStatus.STOPPED})
    run_race(database, race, SCORE, slots=1)
    assert all(run.attempt <= 2 for run in training_runs.of_sweep(database, race.sweep_id)), "none began anew"
    answer = race_answer(database, sweeps.settle(database, race.sweep_id))
    assert answer is not None
    assert answer.take == "raced_c2"


def test_a_failed_seed_counts_as_the_starting_level(database: Database) -> None:
    race = create_race(database, "diverging", 4)

    def score(config: int, seed: int, in_full: bool) -> float | None:
        return None if config == 3 else drawn((0.5, 0.52, 0.9), noise=0.02, seed=2)(config, seed, in_full)

    run_race(database, race, score)
    sweep = sweeps.settle(database, race.sweep_id)
    assert sweep.status.value == "completed", "the decision has counted the failed seed"
    answer = race_answer(database, sweep)
    assert answer is not None
    assert answer.take == "raced_c2"
    last = races.decisions(database, race.sweep_id)[-1]
    failed = [run for run in last.record["runs"] if run["config"] == 3]
    assert [run["full"] for run in failed] == [last.record["start"]]


def test_a_race_goes_on_with_a_larger_cap(database: Database) -> None:
    score = drawn((0.5, 0.505, 0.51, 0.5, 0.49), noise=0.05, seed=3)
    race = create_race(database, "close", 5, replace(TERMS, cap=0.3))
    run_race(database, race, score)
    first = race_answer(database, sweeps.settle(database, race.sweep_id))
    assert first is not None
    assert (first.stop, first.is_claimed) == ("cap", False)
    assert first.to_be_sure[0].command == "rlsweep race close --cap 1"
    assert first.cost.env_steps <= 0.3 * first.cost.grid_env_steps + 1e-6

    races.set_terms(database, race.sweep_id, replace(TERMS, cap=0.6))
    sweeps.take_lease(database, race.sweep_id, DRIVER)
    run_race(database, race_of(database, sweeps.get(database, "close")), score)
    second = race_answer(database, sweeps.settle(database, race.sweep_id))
    assert second is not None
    assert first.cost.runs < second.cost.runs
    assert first.decisions == second.decisions[: len(first.decisions)], "earlier decisions stay"


def test_a_race_begins_nothing_after_its_hours_and_goes_on_with_new_ones(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("rlsweep.driver.race.time", SimpleNamespace(monotonic=lambda: now[0]))

    def score(config: int, seed: int, in_full: bool) -> float:
        now[0] += 360  # half a run takes a tenth of an hour
        return SCORE(config, seed, in_full)

    race = create_race(database, "timed", len(TRUTH), replace(TERMS, max_hours=0.85))
    assert len(run_race(database, race, score, slots=2)) == 10, "nine runs end within the time, and one trains then"
    answer = race_answer(database, sweeps.settle(database, race.sweep_id))
    assert answer is not None
    assert (answer.stop, answer.is_decided, answer.is_claimed) == ("time", True, False)
    assert answer.to_be_sure[0].command == "rlsweep race timed"
    last = races.decisions(database, race.sweep_id)[-1]
    settings, record, free = inputs_of(last)
    assert jsonable(decide(settings, record, free=free)) == last.decision

    races.set_terms(database, race.sweep_id, TERMS)
    sweeps.take_lease(database, race.sweep_id, DRIVER)
    run_race(database, race_of(database, sweeps.get(database, "timed")), score)
    done = race_answer(database, sweeps.settle(database, race.sweep_id))
    assert done is not None
    assert (done.take, done.stop) == ("raced_c2", "safe")


def test_a_finished_sweep_becomes_a_race_and_what_it_trained_counts(database: Database, record_sweep, course) -> None:  # type: ignore[no-untyped-def]
    courses = {None: course(win_rate=0.5), "lr_high": course(win_rate=0.9), "lr_low": course(win_rate=0.3)}
    sweep = record_sweep(courses, seeds=3)
    runs = training_runs.of_sweep(database, sweep.id)
    with pytest.raises(InputError, match="--objective evaluation_reward: the runs of sweep night were not evaluated"):
        terms_of_sweep(database, sweep, runs, RaceOptions(objective="evaluation_reward"))
    other = replace(runs[0], budget=Budget(total_timesteps=1))
    with pytest.raises(InputError, match="The runs of sweep night have different environments or budgets"):
        terms_of_sweep(database, sweep, [other, *runs[1:]], RaceOptions())
    terms = terms_of_sweep(database, sweep, runs, RaceOptions())
    assert (terms.objective, terms.score_episodes) == ("training_reward", None)
    races.set_terms(database, sweep.id, terms)
    sweeps.take_lease(database, sweep.id, DRIVER)
    source = DecidedRuns(
        database, RaceRule(database, race_of(database, sweep)), driver=DRIVER, slots=2, on_scheduled=lambda _: None
    )
    assert source.take() is None
    assert source.is_exhausted
    answer = race_answer(database, sweeps.settle(database, sweep.id))
    assert answer is not None
    assert (answer.take, answer.stop, answer.is_claimed) == ("ppo_agent_lr_high", "safe", True)
    assert answer.cost.runs == 9, "no run was added"


def test_no_winner_is_confirmed_over_contenders_that_were_not_trained(database: Database, record_sweep, course) -> None:  # type: ignore[no-untyped-def]
    tied = {name: course(win_rate=0.5) for name in (None, "a", "b", "c", "d", "e")}
    chosen = record_sweep(tied, seeds=3)
    assert len(to_confirm(database, chosen)) == 4, "the config to take and three of five contenders"
    apart = {
        None: course(win_rate=0.9),
        "a": course(win_rate=0.3),
        "b": course(win_rate=0.2),
        "c": course(win_rate=0.1),
    }
    checked = replace(record_sweep(apart, seeds=3, name="checked"), confirms=chosen.id)
    found = confirmation(database, checked)
    assert found is not None
    assert max(rival.p_value for rival in found.rivals) < 0.025
    assert not found.is_winner


def test_runs_that_never_begin_are_given_up(database: Database) -> None:
    race = create_race(database, "unlucky", 2)
    source = DecidedRuns(database, RaceRule(database, race), driver=DRIVER, slots=1, on_scheduled=lambda _: None)
    first = source.take()
    assert first is not None
    times = 1
    while (again := source.take() if times == 0 else _again(source, first)) == first:
        times += 1
    assert times == 4, "as often as Tune restarts a trial"
    assert again is not None
    assert training_runs.get(database, first).status is RunStatus.FAILED
    train(database, again, SCORE)


def _again(source, run_id):  # type: ignore[no-untyped-def]
    source.has_ended(run_id)
    return source.take()
