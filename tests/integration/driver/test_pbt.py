"""Populations on a real database, with replayed training: what is on record, and what a driver makes of it."""

import random
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from rlsweep.config.run import RunConfig
from rlsweep.config.stepped import value_at
from rlsweep.jsonable import jsonable
from rlsweep.planning.submission import runs_of_plan
from rlsweep.population_records import Exploit
from rlsweep.reports.lineage import lineage_of
from rlsweep.reports.population_record import record_of
from rlsweep.reports.population_text import population_lines
from rlsweep.reports.summary import summarise
from rlsweep.runs import RunStatus, TrainingRun
from rlsweep.scheduler_records import Scheduler
from rlsweep.schedulers.pbt import decide
from rlsweep.schedulers.pbt_records import PbtSettings
from rlsweep.settings import Settings
from rlsweep.store import curves, exploits, schedulers, sweeps, training_runs
from rlsweep.store.database import Database
from tests.helpers.populations import DRIVER, ROLLOUT, create_population, drive, planned_population, scheduler_of
from tests.helpers.replayed_training import Policy, ReplayedTraining, first_weights, learned

pytestmark = pytest.mark.integration


class Dies:
    """Raises KeyboardInterrupt at some of the moments at which a process may die."""

    def __init__(self, *moments: int) -> None:
        self.moment = 0
        self._moments = set(moments)

    def __call__(self) -> None:
        self.moment += 1
        if self.moment in self._moments:
            raise KeyboardInterrupt


def members_of(database: Database, scheduler: Scheduler) -> list[TrainingRun]:
    return training_runs.of_sweep(database, scheduler.sweep_id)


def told(database: Database, scheduler: Scheduler) -> dict[str, Any]:
    """What must not depend on what died: copies and configs, by number of member."""
    runs = members_of(database, scheduler)
    number = {run.id: place for place, run in enumerate(runs, start=1)}
    return {
        "copies": [
            (number[each.run_id], each.env_steps, number.get(each.source_run_id), each.changes, each.episodes)
            for each in exploits.of_sweep(database, scheduler.sweep_id)
        ],
        "configs": [run.config["agent"] for run in runs],
        "counters": [(run.status, run.env_steps, run.episodes, run.updates) for run in runs],
        "episodes": [list(curves.episodes_of(database, [run.id])[run.id].reward) for run in runs],
    }


def check_invariants(database: Database, scheduler: Scheduler, trainer: ReplayedTraining) -> list[Exploit]:
    settings = PbtSettings.from_json(scheduler.settings)
    made = exploits.of_sweep(database, scheduler.sweep_id)
    copied = {(each.run_id, each.env_steps): each for each in made}
    came: set[UUID] = set()
    for run_id, env_steps, weights in trainer.began:
        copy = copied.get((run_id, env_steps))
        if copy is not None:
            assert copy.source_run_id is not None
            assert weights == trainer.weights[copy.source_run_id, env_steps], "bit for bit the source at that step"
        elif env_steps % settings.interval == 0 and env_steps:
            assert weights == trainer.weights[run_id, env_steps]
        assert env_steps or run_id not in came, "no member restarts from 0"
        if env_steps >= settings.interval:
            came.add(run_id)
    for each in schedulers.decisions(database, scheduler.sweep_id):
        again = decide(settings, record_of(each.record), free=each.free)
        assert jsonable(again) == each.decision, "the same record gives the same decision"
    for run in members_of(database, scheduler):
        if run.status is RunStatus.COMPLETED:
            (checkpoint,) = training_runs.checkpoints_to_go_on_from(database, run.id)[:1]
            assert Policy.load(Path(checkpoint.uri)).weights == trainer.weights[run.id, run.env_steps]
    return made


def test_the_worst_become_copies_and_their_configs_are_the_schedules_of_their_weights(
    database: Database, settings: Settings
) -> None:
    scheduler, trainer = create_population(database, "population", members=8, intervals=2), ReplayedTraining()
    drive(database, settings, scheduler, trainer, slots=3, order=random.Random(1).choice)
    made = check_invariants(database, scheduler, trainer)
    runs = {run.id: run for run in members_of(database, scheduler)}
    assert Counter(run.status for run in runs.values()) == {RunStatus.COMPLETED: 8}
    assert len({run.seed for run in runs.values()}) == 8
    assert sweeps.settle(database, scheduler.sweep_id).status.value == "completed"
    assert made
    newest = {each.run_id: each for each in made}
    for run_id, each in newest.items():
        run = runs[run_id]
        assert run.config["agent"]["sweep_variant"] == run.sweep_variant
        for key, (before, after) in each.changes.items():
            section, _, name = key.rpartition(".")
            value = (run.config["agent"][section] if section else run.config["agent"])[name]
            assert (value_at(value, each.env_steps - 1), value_at(value, each.env_steps)) == (before, after)
    assert any(each.changes for each in made)
    population = summarise(database, sweeps.get(database, scheduler.sweep_id)).population
    assert population is not None
    assert [(copy.member, copy.env_steps, copy.had_failed) for copy in population.copies] == [
        (1 + list(runs).index(each.run_id), each.env_steps, False) for each in made
    ]
    assert all(copy.score < copy.source_score for copy in population.copies if copy.score and copy.source_score)
    assert population.best is not None
    assert population.lineage[-1].member == population.best
    lines = [text for _, text in population_lines(population)]
    assert f"Lineage of member {population.best}, whose config is the schedule of all of it:" in lines
    assert sum("copied member" in line for line in lines) == min(len(made), 10)


def test_the_slowest_copy_those_that_are_far_ahead_as_they_were(database: Database, settings: Settings) -> None:
    """One checkpoint is kept, and those at which somebody is not decided about: so the source is still there."""
    scheduler, trainer = create_population(database, "ahead", members=8, intervals=2), ReplayedTraining()
    place = {run.id: number for number, run in enumerate(members_of(database, scheduler))}
    drive(database, settings, scheduler, trainer, slots=8, order=lambda flying: max(flying, key=place.__getitem__))
    made = check_invariants(database, scheduler, trainer)
    assert {run.status for run in members_of(database, scheduler)} == {RunStatus.COMPLETED}
    late = {place[each.run_id] for each in made if each.env_steps == 32 and place[each.run_id] < 4}
    assert late, "members that came to the first interval when the others had ended became copies there"


def test_a_config_is_the_schedule_of_its_weights(database: Database, settings: Settings) -> None:
    """Whoever trains a member's config from the start, with the seeds of its ancestors, comes to its weights."""
    scheduler, trainer = create_population(database, "schedule", intervals=3), ReplayedTraining()
    drive(database, settings, scheduler, trainer, slots=2)
    made = check_invariants(database, scheduler, trainer)
    runs = members_of(database, scheduler)
    for run in runs:
        parts = lineage_of(runs, made, run.id)
        agent = RunConfig.from_record(run.config).agent
        weights = first_weights(runs[parts[0].member - 1].seed)
        for part in parts:
            for env_steps in range(part.first_step, part.last_step, ROLLOUT):
                weights = learned(weights, agent, runs[part.member - 1].seed, env_steps)
        assert parts[-1].last_step == 128
        assert weights == trainer.weights[run.id, 128]
        # one is kept, and those that others could still copy when its last attempt began
        assert len(training_runs.checkpoints_to_go_on_from(database, run.id)) <= 3
    assert max(len(lineage_of(runs, made, run.id)) for run in runs) > 1
    planned = planned_population()
    with database.connect() as connection:
        connection.execute("update training_runs set status = 'stopped', end_reason = 'stopped'")
    sweeps.release(database, scheduler.sweep_id, DRIVER)
    found = sweeps.find_unfinished(database, runs_of_plan(planned.plan), scheduler=planned.terms)
    assert found is not None, "the same command again offers to resume it, although configs have changed"


@pytest.fixture
def peaceful(database: Database, settings: Settings) -> tuple[dict[str, Any], int]:
    """What a population comes to if nothing dies, and at how many moments something could."""
    scheduler, trainer = create_population(database, "peaceful"), ReplayedTraining(happens=Dies())
    drive(database, settings, scheduler, trainer)
    assert len(check_invariants(database, scheduler, trainer)) >= 2
    assert isinstance(trainer.happens, Dies)
    return told(database, scheduler), trainer.happens.moment


def test_a_kill_at_any_moment_continues_the_same(
    database: Database, settings: Settings, peaceful: tuple[dict[str, Any], int]
) -> None:
    expected, moments = peaceful
    draws = random.Random(3)
    for place in range(3):
        scheduler = create_population(database, f"killed-{place}")
        dies = Dies(*draws.sample(range(1, moments + 1), 8))
        trainer = ReplayedTraining(happens=dies)
        drive(database, settings, scheduler, trainer)
        check_invariants(database, scheduler, trainer)
        assert told(database, scheduler) == expected


def test_a_failed_member_is_replaced_at_the_interval_that_it_did_not_reach(
    database: Database, settings: Settings
) -> None:
    scheduler = create_population(database, "failing", intervals=2)
    first, second, *_ = members_of(database, scheduler)
    trainer = ReplayedTraining(fails=frozenset({(first.seed, 16), (second.seed, 48)}))
    drive(database, settings, scheduler, trainer, slots=2)
    made = check_invariants(database, scheduler, trainer)
    replaced = {each.run_id: each.env_steps for each in made if each.had_failed}
    assert replaced[first.id] == 32
    assert replaced.get(second.id, 64) == 64
    assert {run.status for run in members_of(database, scheduler)} == {RunStatus.COMPLETED}


def test_nothing_waits_for_members_that_cannot_train(database: Database, settings: Settings) -> None:
    scheduler = create_population(database, "broken", intervals=1)
    runs = members_of(database, scheduler)
    trainer = ReplayedTraining(fails=frozenset((run.seed, 0) for run in runs))
    drive(database, settings, scheduler, trainer)
    assert {run.status for run in members_of(database, scheduler)} == {RunStatus.FAILED}
    assert scheduler_of(database, scheduler.sweep_id).stop == "failed"
    assert sweeps.settle(database, scheduler.sweep_id).status.value == "failed"
