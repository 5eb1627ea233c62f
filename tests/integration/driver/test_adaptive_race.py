"""Races that draw configs while they run, on a real database with simulated trials."""

import math
from dataclasses import fields, replace
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from planned_space import BASE

from rlsweep.attempts.provenance import Provenance
from rlsweep.config.differences import flat_record
from rlsweep.config.run import Mode
from rlsweep.deciding.race import decide
from rlsweep.deciding.records import Stop
from rlsweep.driver.decided_runs import DecidedRuns
from rlsweep.driver.race import RaceRule
from rlsweep.driver.race_draws import RaceDraws
from rlsweep.jsonable import jsonable
from rlsweep.planning.forecast import Forecast
from rlsweep.planning.plan import make_plan
from rlsweep.planning.race import race_plan, race_terms
from rlsweep.planning.race_options import RaceOptions
from rlsweep.planning.submission import create_sweep
from rlsweep.race_records import Race, RaceTerms
from rlsweep.reports.race_answer import race_answer
from rlsweep.reports.race_line import race_line
from rlsweep.reports.race_record import RaceReader, inputs_of
from rlsweep.reports.race_text import answer_lines
from rlsweep.runs import TrainingRun
from rlsweep.store import races, sweeps, training_runs
from rlsweep.store.database import Database
from tests.helpers.raced import DRIVER, STEPS, give_all, race_of, train_run

pytestmark = pytest.mark.integration

SPACE: dict[str, Any] = {
    "learning_rate": {"log": [1e-5, 1e-2]},
    "n_epochs": {"integer": [4, 16]},
    "network.net_arch": {"choice": [[64, 64], [256, 256]]},
    "ppo.ent_coef": {"log": [1e-4, 1e-1], "or": 0.0},
    "ppo.target_kl": {"choice": [0.01, 0.03], "when": "n_epochs > 10"},
}
CONSTRAINTS = ["batch_size <= n_steps"]


def score(run: TrainingRun, share: float) -> float:
    values = flat_record(run.config["agent"])
    truth = 0.9 - 0.2 * abs(math.log10(values["learning_rate"]) + 3) - 0.01 * abs(values["n_epochs"] - 8)
    rng = np.random.default_rng((int(run.config_hash[:8], 16), run.seed))
    full = truth + 0.02 * rng.standard_normal()
    return float(full if share == 1.0 else 0.1 + 0.7 * (full - 0.1))


def drive(database: Database, race: Race, *, slots: int = 2, most_runs: int | None = None) -> list[UUID]:
    """A driver of its own, which dies after so many runs have ended."""
    return give_all(
        source_of(database, race, slots), lambda run_id: train_run(database, run_id, score, (0.5, 1.0)),
        slots=slots, most_runs=most_runs,
    )  # fmt: skip


def source_of(database: Database, race: Race, slots: int) -> DecidedRuns:
    rule = RaceRule(database, race_of(database, sweeps.get(database, race.sweep_id)))
    return DecidedRuns(database, rule, driver=DRIVER, slots=slots, on_scheduled=lambda _: None)


def create(database: Database, name: str, *, cap: float = 0.5, **keys: Any) -> Race:
    """Put a race of a search space on record as `rlsweep race` does, without what is measured."""
    base = BASE | {"n_steps": 100, "batch_size": 50}
    space = {"base": base, "sampler": "tpe", "configs": 11, "space": SPACE, "constraints": CONSTRAINTS} | keys
    plan = make_plan(
        [space], base_config={"environment": {"id": "CartPole-v1"}}, mode=Mode.SMOKE, episodes=None,
        total_timesteps=STEPS, seeds=1, with_base=False,
    )  # fmt: skip
    asked = race_plan(plan, RaceOptions(tolerance=0.2, cap=cap))
    terms = replace(
        race_terms(asked, Forecast(plan=asked.plan, estimates=None, warnings=())),
        planned_run_steps=3000.0,
        planned_rung_steps=1500.0,
    )
    provenance = Provenance(versions={}, git_commit=None, git_dirty=None, host="host", command="race")
    sweep = create_sweep(database, asked.plan, name=name, patterns=(name,), provenance=provenance, race=terms)
    sweeps.take_lease(database, sweep.id, DRIVER)
    return race_of(database, sweep)


def configs_of(database: Database, race: Race) -> list[tuple[str, str, dict[str, Any]]]:
    """Name, description and drawn values of each config, in order."""
    found = []
    for config in RaceReader(database, race).read().configs:
        run = config.runs[0]
        flat = flat_record(run.config["agent"])
        found.append((config.name, run.config["agent"]["description"], {key: flat[key] for key in SPACE}))
    return found


def check_replays(database: Database, race: Race) -> int:
    """Make every decision and every draw anew from the record; return how many configs were drawn."""
    sweep = sweeps.get(database, race.sweep_id)
    assert sweep.space is not None
    configs = [config.runs[0] for config in RaceReader(database, race).read().configs]
    drawn = 0
    for made in races.decisions(database, race.sweep_id):
        settings, record, free = inputs_of(made)
        decision = decide(settings, record, free=free)
        assert jsonable(decision) == made.decision
        known = len(record.scores)
        count = sum(move.config >= known for move in decision.moves)
        again = RaceDraws(sweep.space, configs[0]).draw(settings, record, configs[:known], count)
        assert [(run.config_short_name, run.config) for run in again] == [
            (run.config_short_name, run.config) for run in configs[known : known + count]
        ], f"decision {made.number}"
        drawn += count
    return drawn


def test_a_race_draws_configs_while_it_runs(database: Database) -> None:
    race = create(database, "drawn")
    assert race.configs == 11
    assert len(configs_of(database, race)) == 8, "the first ones are on record before the race"
    drive(database, race, most_runs=9)
    answer = race_answer(database, sweeps.get(database, race.sweep_id))
    assert answer is not None
    so_far = len(answer.configs)
    assert 8 <= so_far < 11
    assert f"{so_far} of 11 configs so far." in [line.text for line in answer_lines(answer)]

    drive(database, race)
    found = configs_of(database, race)
    assert len(found) == 11
    assert [described for _, described, _ in found[1:]] == [
        f"Config {number} of a search space" for number in range(1, 11)
    ]
    assert len({name for name, _, _ in found}) == 11
    for _, _, values in found[1:]:
        assert 1e-5 <= values["learning_rate"] <= 1e-2
        assert (values["ppo.target_kl"] is not None) == (values["n_epochs"] > 10)
    assert check_replays(database, race) == 3
    made = races.decisions(database, race.sweep_id)
    assert any("a new config to the rung (drawn where scores are high)" in race_line(each) for each in made)
    first = {run.config_short_name: run for run in reversed(training_runs.of_sweep(database, race.sweep_id))}
    assert all(first[name].seed == 0 for name, _, _ in found)
    answer = race_answer(database, sweeps.settle(database, race.sweep_id))
    assert answer is not None
    assert answer.cost.grid_runs == 5 * 11
    assert "All 11 configs." in [line.text for line in answer_lines(answer)]
    assert answer.is_decided
    assert answer.stop is not None


def test_a_driver_after_a_kill_draws_the_very_next_config(database: Database) -> None:
    peaceful, killed = (create(database, name) for name in ("peaceful-draws", "killed-draws"))
    drive(database, peaceful, slots=1)
    while drive(database, killed, slots=1, most_runs=1):
        pass
    assert configs_of(database, killed) == configs_of(database, peaceful)
    assert check_replays(database, killed) == 3


def test_a_driver_that_dies_behind_a_decision_trains_what_it_drew(database: Database) -> None:
    race = create(database, "died", sampler="cmaes")
    drive(database, race, slots=3, most_runs=14)
    taken = source_of(database, race, slots=3).take()
    assert taken is not None
    drawn = configs_of(database, race)
    assert 8 < len(drawn) < 11
    drive(database, race, slots=3)
    assert configs_of(database, race)[: len(drawn)] == drawn
    assert len(configs_of(database, race)) == 11
    check_replays(database, race)


def test_a_space_that_comes_to_its_end_leaves_the_race_with_what_it_has(database: Database) -> None:
    small = {"gamma": {"choice": [0.9, 0.95, 0.99]}, "n_epochs": {"choice": [8, 9, 10]}}
    race = create(database, "small", space=small, constraints=[])
    drive(database, race)
    made = races.decisions(database, race.sweep_id)
    configs = RaceReader(database, race).read().configs
    assert len(configs) == 9
    assert (made[0].settings["configs"], made[-1].settings["configs"]) == (11, 9)
    assert made[-1].decision["stop"] is not None
    again = race_of(database, sweeps.get(database, "small"))
    races.set_terms(database, again.sweep_id, replace_cap(again, 1.0))
    drive(database, race)
    assert len(RaceReader(database, race).read().configs) == 9


def test_a_larger_cap_draws_what_the_cap_had_left(database: Database) -> None:
    race = create(database, "capped", cap=0.2)
    races.set_terms(database, race.sweep_id, replace_cap(race, 0.12))
    drive(database, race)
    assert race_of(database, sweeps.get(database, "capped")).stop == Stop.CAP.value
    so_far = configs_of(database, race)
    assert len(so_far) < 11
    answer = race_answer(database, sweeps.settle(database, race.sweep_id))
    assert answer is not None
    assert f"{len(so_far)} of 11 configs; with a larger cap it draws the others." in [
        line.text for line in answer_lines(answer)
    ]
    races.set_terms(database, race.sweep_id, replace_cap(race, 1.0))
    drive(database, race)
    assert configs_of(database, race)[: len(so_far)] == so_far
    assert len(configs_of(database, race)) == 11
    check_replays(database, race)


def replace_cap(race: Race, cap: float) -> RaceTerms:
    """The terms of a race with another cap."""
    values = {each.name: getattr(race, each.name) for each in fields(RaceTerms)}
    return RaceTerms(**values | {"cap": cap})
