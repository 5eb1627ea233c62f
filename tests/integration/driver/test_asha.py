"""ASHA on a real database, with simulated trials: what is on record, and what a driver makes of it."""

from dataclasses import replace

import pytest

from rlsweep.analysis.progress import total_share_done
from rlsweep.analysis.rungs import waits_at
from rlsweep.analysis.verdicts import VerdictKind
from rlsweep.api.observers import make_observer
from rlsweep.api.race import continue_race
from rlsweep.errors import InputError
from rlsweep.jsonable import jsonable
from rlsweep.places.options import DrivingOptions
from rlsweep.planning.race_options import RaceOptions
from rlsweep.reports.asha_answer import asha_answer, asha_lines
from rlsweep.reports.asha_record import decision_of, states_of
from rlsweep.reports.confirmation import to_confirm
from rlsweep.reports.pick import pick_of
from rlsweep.reports.prospects import prospects
from rlsweep.reports.summary import summarise
from rlsweep.runs import RunStatus
from rlsweep.scheduler_records import SchedulerKind, SchedulerTerms
from rlsweep.schedulers.asha import decide, ranked
from rlsweep.settings import Settings
from rlsweep.store import decisions, schedulers, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.store.overview import overview
from tests.helpers.asha_runs import SETTINGS, create_asha, run_asha, scheduler_of, statuses
from tests.helpers.raced import DRIVER, planned_run

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
    came = overview(database, scheduler.sweep_id).asha
    assert came is not None
    assert sum(rung.reached for rung in came.rungs) == 6, "those that wait have come there, stopped or not"
    stopped = asha_answer(database, sweeps.get(database, "stopped"), [f"c{config}" for config in range(len(TRUTH))])
    assert stopped is not None
    assert [len(rung.configs) for rung in stopped.rungs] == [rung.reached for rung in came.rungs]
    sweeps.release(database, scheduler.sweep_id, DRIVER)
    sweeps.assign(database, scheduler.sweep_id, resources={}, address=None)
    sweeps.take_lease(database, scheduler.sweep_id, DRIVER)
    decisions.pause_waiting(database, scheduler.sweep_id)
    transitions.take_up(database, scheduler.sweep_id, {RunStatus.PENDING, RunStatus.STOPPED})
    run_asha(database, scheduler_of(database, scheduler.sweep_id), score, slots=1)
    runs = training_runs.of_sweep(database, scheduler.sweep_id)
    assert all(run.attempt <= len(SETTINGS.rungs) for run in runs), "none began anew"
    assert sweeps.settle(database, scheduler.sweep_id).status.value == "completed"


def test_what_is_said_while_it_goes_on_and_at_the_end(database: Database) -> None:
    scheduler = create_asha(database, "told", len(TRUTH))
    run_asha(database, scheduler, score, slots=2, most_runs=9)
    seen = overview(database, scheduler.sweep_id)
    assert seen.asha is not None
    assert not seen.asha.is_over
    assert [rung.share for rung in seen.asha.rungs] == [0.25, 0.5, 1.0]
    assert seen.asha.rungs[0].reached + seen.asha.rungs[1].reached + seen.asha.rungs[2].reached == 9
    assert 0.3 < total_share_done(seen) < 0.9
    so_far = summarise(database, sweeps.get(database, "told"))
    assert so_far.card.lines[0].text.endswith("as it stands now.")

    run_asha(database, scheduler_of(database, scheduler.sweep_id), score)
    sweep = sweeps.settle(database, scheduler.sweep_id)
    runs = {run.config_short_name: run for run in training_runs.of_sweep(database, scheduler.sweep_id)}
    last = list(states_of(schedulers.decisions(database, scheduler.sweep_id)))[-1]
    for config, (run,) in enumerate(last.record.configs):
        assert runs[f"raced_c{config}"].rung == len(run.scores)
    assert waits_at(runs["raced_c0"]) == "waits at rung 1"
    assert waits_at(runs["raced_c2"]) is None, "it is completed"
    seen = overview(database, scheduler.sweep_id)
    assert total_share_done(seen) == 1.0
    report = summarise(database, sweep)
    assert report.asha is not None
    assert (report.asha.take, report.asha.seeds, report.asha.is_over) == ("raced_c2", 1, True)
    assert report.card.take == "raced_c2"
    assert report.card.is_final
    assert report.card.risk is None
    waiting = [runs[config.name].rung or 0 for config in report.configs if config.score is None]
    assert waiting == sorted(waiting, reverse=True), "those that wait come by their rungs"
    said = {line.heading: line.text for line in report.card.lines}
    assert "came to the top rung (1,000 env steps)." in said["TAKE"]
    assert said["WHY"].startswith("evaluation reward 0.80 there (mean of 1 seed)")
    assert said["BUT"].startswith("With 1 seed a config, a difference cannot be told from chance.")
    assert not any("unstable" in line.text for line in report.card.lines)
    fell = replace(report.configs[0], verdict=replace(report.configs[0].verdict, kind=VerdictKind.UNSTABLE))
    warned = asha_lines(report.asha, replace(report, configs=(fell, *report.configs[1:])))
    assert [line.heading for line in warned] == ["TAKE", "WHY", "RISK", "BUT", "BUT", "COST"]
    assert warned[4].text.startswith("Its learning is unstable: a long run may lose what it learned")
    assert [step.command for step in report.card.to_be_sure] == ["rlsweep confirm told", "rlsweep promote told"]
    assert to_confirm(database, sweep)[0] == "raced_c2"
    assert prospects(database, sweep).text.startswith("A scheduler chose how far each config trained")
    pick = pick_of(report, report.race, report.race_lines, report.asha)
    assert pick is not None
    assert pick.config.name == "raced_c2"
    assert any(
        "the only seed waits at rung 1, not in the means" in reason for reason in report.configs[-1].verdict.reasons
    )


def test_the_same_plan_is_found_again_only_with_the_same_scheduler(database: Database) -> None:
    scheduler = create_asha(database, "again", 2)
    sweeps.release(database, scheduler.sweep_id, DRIVER)
    runs = [planned_run(config, 0) for config in range(2)]
    assert sweeps.find_unfinished(database, runs) is None
    other = SchedulerTerms(kind=SchedulerKind.ASHA, objective="evaluation_reward", settings={"rungs": [0.5, 1.0]})
    assert sweeps.find_unfinished(database, runs, scheduler=other) is None
    found = sweeps.find_unfinished(database, runs, scheduler=scheduler)
    assert found is not None
    assert found.name == "again"


def test_it_is_not_made_a_race(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler = create_asha(database, "not raced", 2)
    sweeps.release(database, scheduler.sweep_id, DRIVER)
    monkeypatch.setattr("rlsweep.api.race.database_of", lambda _: database)
    settings, observer = Settings.from_environ({}), make_observer(progress=False)
    with pytest.raises(InputError, match="was submitted with --scheduler asha: its runs wait where a race has no"):
        continue_race("not raced", RaceOptions(), settings=settings, observer=observer, options=DrivingOptions())
