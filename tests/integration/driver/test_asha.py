"""ASHA on a real database, with simulated trials: what is on record, and what a driver makes of it."""

import pytest

from rlsweep.jsonable import jsonable
from rlsweep.reports.asha_record import decision_of, states_of
from rlsweep.runs import RunStatus
from rlsweep.schedulers.asha import AshaSettings, decide, ranked
from rlsweep.store import decisions, schedulers, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from tests.helpers.asha_runs import SETTINGS, create_asha, run_asha, scheduler_of, statuses
from tests.helpers.raced import DRIVER

pytestmark = pytest.mark.integration

TRUTH = (0.2, 0.5, 0.8, 0.3, 0.55, 0.25, 0.6, 0.4)


def score(config: int, seed: int, share: float) -> float:
    return TRUTH[config] * share + 0.01 * seed


def test_the_best_share_goes_on_and_the_others_stay_paused(database: Database) -> None:
    scheduler = create_asha(database, "halved", len(TRUTH))
    given = run_asha(database, scheduler, score)
    assert sweeps.settle(database, scheduler.sweep_id).status.value == "completed", "although runs are paused"
    found = statuses(database, scheduler)
    assert found[RunStatus.PAUSED] + found[RunStatus.COMPLETED] == len(TRUTH)
    assert 1 <= found[RunStatus.COMPLETED] <= 3
    runs = {run.id: run for run in training_runs.of_sweep(database, scheduler.sweep_id)}
    assert runs[max(runs, key=lambda run_id: runs[run_id].env_steps)].config_short_name == "raced_c2"
    assert all(given.count(run_id) == run.attempt for run_id, run in runs.items())
    assert {run.env_steps for run in runs.values()} == {300, 500, 1000}, "the updates that reach 250, 500 and 1000"


def test_every_decision_comes_out_the_same_from_its_record(database: Database) -> None:
    scheduler = create_asha(database, "replayed", len(TRUTH), seeds=2)
    run_asha(database, scheduler, score, slots=3, order=[2, 0, 1, 1, 2, 0, 2])
    made = schedulers.decisions(database, scheduler.sweep_id)
    assert [each.number for each in made] == list(range(1, len(made) + 1))
    for each, state in zip(made, states_of(made), strict=True):
        again = decide(SETTINGS, state.record, free=each.free)
        assert again == decision_of(each)
        assert jsonable(again) == each.decision
    assert len(made[0].record["configs"]) == len(TRUTH), "the first one has all"
    assert all(len(each.record["configs"]) <= 5 for each in made[1:]), "later ones what has changed"
    last = list(states_of(made))[-1]
    assert ranked(last.record, 2)[0][0] == 2


def test_a_driver_after_a_kill_makes_the_very_next_decision(database: Database) -> None:
    peaceful, killed = (create_asha(database, name, len(TRUTH), seeds=2) for name in ("peaceful", "killed"))
    run_asha(database, peaceful, score, slots=1)
    for _ in range(100):
        if not run_asha(database, scheduler_of(database, killed.sweep_id), score, slots=1, most_runs=1):
            break
    one, other = (schedulers.decisions(database, each.sweep_id) for each in (peaceful, killed))
    assert [each.decision for each in one] == [each.decision for each in other]
    assert [state.record for state in states_of(one)] == [state.record for state in states_of(other)]


def test_a_failed_run_is_the_worst_at_its_rung_and_its_retry_counts(database: Database) -> None:
    scheduler = create_asha(database, "diverging", 4, seeds=2)
    run_asha(
        database, scheduler, lambda config, seed, share: None if (config, seed) == (2, 1) else score(config, 0, share)
    )
    sweep = sweeps.settle(database, scheduler.sweep_id)
    assert sweep.status.value == "completed", "the decisions have counted the failed seed"
    last = list(states_of(schedulers.decisions(database, scheduler.sweep_id)))[-1]
    assert ranked(last.record, 0)[-1] == (2, None)
    assert ranked(last.record, 2)[0][0] == 1

    sweeps.take_lease(database, scheduler.sweep_id, DRIVER)
    transitions.take_up(database, scheduler.sweep_id, {RunStatus.FAILED})
    assert scheduler_of(database, scheduler.sweep_id).stop is None, "it decides again"
    run_asha(database, scheduler_of(database, scheduler.sweep_id), score)
    last = list(states_of(schedulers.decisions(database, scheduler.sweep_id)))[-1]
    assert ranked(last.record, 2)[0][0] == 2


def test_a_stopped_sweep_goes_on_where_it_stood(database: Database) -> None:
    scheduler = create_asha(database, "stopped", len(TRUTH))
    run_asha(database, scheduler, score, slots=1, most_runs=6)
    sweeps.request_stop(database, scheduler.sweep_id)
    assert sweeps.settle(database, scheduler.sweep_id).status.value == "stopped"
    sweeps.release(database, scheduler.sweep_id, DRIVER)
    sweeps.assign(database, scheduler.sweep_id, resources={}, address=None)
    sweeps.take_lease(database, scheduler.sweep_id, DRIVER)
    decisions.pause_waiting(database, scheduler.sweep_id)
    transitions.take_up(database, scheduler.sweep_id, {RunStatus.PENDING, RunStatus.STOPPED})
    run_asha(database, scheduler_of(database, scheduler.sweep_id), score, slots=1)
    runs = training_runs.of_sweep(database, scheduler.sweep_id)
    assert all(run.attempt <= len(SETTINGS.rungs) for run in runs), "none began anew"
    assert sweeps.settle(database, scheduler.sweep_id).status.value == "completed"


def test_settings_come_back_from_the_record(database: Database) -> None:
    scheduler = create_asha(database, "settings", 2)
    assert AshaSettings.from_json(scheduler.settings) == SETTINGS
